namespace Handbook;

/// <summary>One run of consecutive tokens of a row that belong together: a document, a prompt, a completion.</summary>
/// <param name="Start">Index of the first token in the row.</param>
/// <param name="Length">Number of tokens, at least 1.</param>
/// <param name="FirstPosition">Position id of the first token: 0, or the prefix's length where there is a prefix.</param>
/// <param name="Prefix">Index of an earlier segment that this one also attends to and continues, or -1.</param>
public readonly record struct Segment(int Start, int Length, int FirstPosition = 0, int Prefix = -1)
{
    /// <summary>Index after the last token.</summary>
    public int End => Start + Length;
}

/// <summary>
/// Where the sequences of one packed row begin and end. Tokens attend causally within their segment and to the whole of
/// the segment's prefix, never to anything else; so documents do not see each other, and a prompt followed by its chosen
/// and its rejected completion is held and computed once. Segments fill the row without gaps.
/// </summary>
public sealed class SequenceLayout : IEquatable<SequenceLayout>
{
    private readonly Segment[] segments;

    /// <summary>Checks and takes over the segments of a row, in order.</summary>
    /// <exception cref="ArgumentException">
    /// A segment is empty, does not begin where the one before it ends, or names a prefix that is not an earlier segment
    /// without a prefix of its own, or whose length is not the segment's first position.
    /// </exception>
    public SequenceLayout(params Segment[] segments)
    {
        this.segments = segments;
        for (var i = 0; i < segments.Length; i++)
        {
            var segment = segments[i];
            if (segment.Length < 1 || segment.Start != Length)
                throw new ArgumentException($"segment {i} ({segment}) must begin at {Length} and hold a token", nameof(segments));
            if (segment.Prefix >= i || segment.Prefix < -1)
                throw new ArgumentException($"segment {i}: prefix {segment.Prefix} is not an earlier segment", nameof(segments));
            if (segment.Prefix >= 0 && (segments[segment.Prefix].Prefix >= 0 || segments[segment.Prefix].Length != segment.FirstPosition))
                throw new ArgumentException($"segment {i} ({segment}) does not continue its prefix {segments[segment.Prefix]}",
                    nameof(segments));
            Length = segment.End;
        }
    }

    /// <summary>The segments in order.</summary>
    public ReadOnlySpan<Segment> Segments => segments;

    /// <summary>Number of tokens of the row.</summary>
    public int Length { get; }

    /// <summary>Independent documents one after the other, each with positions from 0.</summary>
    public static SequenceLayout Documents(ReadOnlySpan<int> lengths)
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

    /// <summary>Position ids, one a token.</summary>
    public int[] Positions()
    {
        var positions = new int[Length];
        foreach (var segment in segments)
        {
            for (var i = 0; i < segment.Length; i++)
                positions[segment.Start + i] = segment.FirstPosition + i;
        }
        return positions;
    }

    /// <summary>
    /// For every token the row index of the token before it in its sequence, from whose hidden state it is predicted: the
    /// one to its left, for the first of a segment the last of its prefix, and -1 where nothing comes before.
    /// </summary>
    public int[] Predecessors()
    {
        var predecessors = new int[Length];
        foreach (var segment in segments)
        {
            predecessors[segment.Start] = segment.Prefix < 0 ? -1 : segments[segment.Prefix].End - 1;
            for (var i = segment.Start + 1; i < segment.End; i++)
                predecessors[i] = i - 1;
        }
        return predecessors;
    }

    /// <inheritdoc/>
    public bool Equals(SequenceLayout? other) => other is not null && segments.AsSpan().SequenceEqual(other.segments);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SequenceLayout);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var segment in segments)
            hash.Add(segment);
        return hash.ToHashCode();
    }
}
