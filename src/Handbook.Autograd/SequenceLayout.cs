namespace Handbook.Autograd;

/// <summary>A run of tokens inside a packed row that attends causally to itself and, when it has one, to its prefix.</summary>
/// <param name="Start">Index of its first token in the row.</param>
/// <param name="Length">Number of tokens.</param>
/// <param name="Prefix">
/// Index of an earlier segment that it also sees whole (the prompt shared by a chosen and a rejected answer), or -1. A prefix
/// may have a prefix itself; positions continue after the chain's last token.
/// </param>
public readonly record struct Segment(int Start, int Length, int Prefix = -1);

/// <summary>
/// Where each document of a packed row begins and ends and what it may see: sequences are packed, never padded, so a batch is
/// one row of <see cref="TokenCount"/> tokens and this.
/// </summary>
public sealed class SequenceLayout
{
    private readonly int[] firstPositions;

    /// <summary>Checks that the segments cover the row in order and that prefixes come earlier.</summary>
    /// <exception cref="ArgumentException">A gap, an overlap, an empty segment, or a prefix that is not earlier.</exception>
    public SequenceLayout(IReadOnlyList<Segment> segments)
    {
        Segments = segments;
        firstPositions = new int[segments.Count];
        var next = 0;
        for (var i = 0; i < segments.Count; i++)
        {
            var segment = segments[i];
            if (segment.Start != next || segment.Length < 1)
                throw new ArgumentException($"Segment {i} starts at {segment.Start} with {segment.Length} tokens; it should start at {next} with at least one.", nameof(segments));
            if (segment.Prefix >= i || segment.Prefix < -1)
                throw new ArgumentException($"Segment {i} names segment {segment.Prefix} as its prefix; a prefix comes earlier.", nameof(segments));
            if (segment.Prefix >= 0)
                firstPositions[i] = firstPositions[segment.Prefix] + segments[segment.Prefix].Length;
            next += segment.Length;
        }
        TokenCount = next;
    }

    /// <summary>The segments in the row's order.</summary>
    public IReadOnlyList<Segment> Segments { get; }

    /// <summary>Tokens in the row.</summary>
    public int TokenCount { get; }

    /// <summary>Position of a segment's first token: 0, or what follows its prefix.</summary>
    public int FirstPosition(int segment) => firstPositions[segment];

    /// <summary>Position of every token in its document.</summary>
    public long[] Positions()
    {
        var positions = new long[TokenCount];
        for (var i = 0; i < Segments.Count; i++)
        {
            for (var j = 0; j < Segments[i].Length; j++)
                positions[Segments[i].Start + j] = firstPositions[i] + j;
        }
        return positions;
    }

    /// <summary>Documents of these lengths one after the other.</summary>
    public static SequenceLayout Of(params ReadOnlySpan<int> lengths)
    {
        var segments = new Segment[lengths.Length];
        var start = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            segments[i] = new Segment(start, lengths[i]);
            start += lengths[i];
        }
        return new SequenceLayout(segments);
    }
}
