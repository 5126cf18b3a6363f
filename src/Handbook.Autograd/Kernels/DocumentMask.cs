using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// The document mask: the rows that each token of a row sees, a stretch of its prompt, and a stretch of its own segment that ends with
/// itself. A sliding window takes the front of both.
/// </summary>
internal sealed class DocumentMask
{
    private const int Tile = AttentionPlan.Tile;

    // One entry a token, and a block more, so that whole vectors can be read.
    private readonly int[] promptStarts;
    private readonly int[] promptCounts;
    private readonly int[] ownStarts;

    internal DocumentMask(SequenceLayout layout, int window)
    {
        var length = layout.Length + Tile;
        (promptStarts, promptCounts, ownStarts) = (new int[length], new int[length], new int[length]);
        foreach (var segment in layout.Segments)
        {
            var prompt = segment.Prefix < 0 ? default : layout.Segments[segment.Prefix];
            for (var i = 0; i < segment.Length; i++)
            {
                // Positions below this one lie outside the window.
                var lowest = (int)Math.Max(0, segment.FirstPosition + i - (long)window + 1);
                var hidden = Math.Min(lowest, prompt.Length);
                promptStarts[segment.Start + i] = prompt.Start + hidden;
                promptCounts[segment.Start + i] = prompt.Length - hidden;
                ownStarts[segment.Start + i] = segment.Start + Math.Max(0, lowest - segment.FirstPosition);
            }
        }
    }

    /// <summary>What of a key block the tokens of a query block see.</summary>
    internal BlockMask Of(in TokenBlock query, in TokenBlock key)
    {
        var (any, all) = (false, key.Count == Tile);
        var (first, end) = (key.Start, key.Start + key.Count);
        for (var token = query.Start; token < query.Start + query.Count; token++)
        {
            var (promptStart, promptEnd) = (promptStarts[token], promptStarts[token] + promptCounts[token]);
            any |= (promptStart < end && promptEnd > first && promptEnd > promptStart) || (ownStarts[token] < end && token >= first);
            all &= (promptStart <= first && promptEnd >= end) || (ownStarts[token] <= first && token >= end - 1)
                || (promptStart <= first && promptEnd >= ownStarts[token] && token >= end - 1);
            if (any && !all)
                return BlockMask.Partial;
        }
        return !any ? BlockMask.Empty : all ? BlockMask.Full : BlockMask.Partial;
    }

    /// <summary>What scores are added to: 0 where a query (lane) sees a key (row), minus infinity where it does not.</summary>
    internal unsafe void Start<V>(in TokenBlock query, in TokenBlock key, float* scores) where V : unmanaged, ILanes<V>
    {
        var hidden = V.Create(float.NegativeInfinity);
        fixed (int* starts = promptStarts, counts = promptCounts, owns = ownStarts)
        {
            for (var lane = 0; lane < Tile; lane += V.Count)
            {
                var at = query.Start + lane;
                var prompt = V.Load((float*)(starts + at));
                var promptCount = V.Load((float*)(counts + at));
                var own = V.Load((float*)(owns + at));
                var ownCount = V.SubtractBits(V.AddBits(V.IndexBits, V.CreateBits((uint)at + 1)), own);
                for (var row = 0; row < key.Count; row++)
                {
                    var place = V.CreateBits((uint)(key.Start + row));
                    // Below the start the difference wraps around and is larger than any count.
                    var seen = V.LessThanBits(V.SubtractBits(place, prompt), promptCount)
                        | V.LessThanBits(V.SubtractBits(place, own), ownCount);
                    V.Select(seen, default, hidden).Store(scores + row * Tile + lane);
                }
                for (var row = key.Count; row < Tile; row++)
                    hidden.Store(scores + row * Tile + lane);
            }
        }
    }
}
