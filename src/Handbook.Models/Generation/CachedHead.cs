using Handbook.Autograd;
using Handbook.Autograd.Kernels;

namespace Handbook.Models.Generation;

/// <summary>Where a head's keys and values lie in the cache.</summary>
/// <param name="Keys">The head's part of slot 0.</param>
/// <param name="Values">The head's part of slot 0.</param>
/// <param name="Stride">Elements from slot to slot.</param>
/// <param name="Dim">Elements of a head.</param>
internal readonly unsafe record struct CachedRows(nint Keys, nint Values, int Stride, int Dim)
{
    internal CachedRows(float* keys, float* values, int stride, int dim) : this((nint)keys, (nint)values, stride, dim) { }

    internal float* Key(int slot) => (float*)Keys + (long)slot * Stride;

    internal float* Value(int slot) => (float*)Values + (long)slot * Stride;
}

/// <summary>One head of one sequence's newest token over its past, in registers.</summary>
internal static unsafe class CachedHead
{
    private const int Tile = 4;

    /// <summary>output = softmax(scale * q·k) v over the positions from the first seen to the newest.</summary>
    internal static void Attend<V>(
        float* query, CachedRows rows, CachedSequence sequence, int first, AttentionRule rule, float sink, float* output)
        where V : unmanaged, ILanes<V>
    {
        var count = sequence.Length + 1 - first;
        // Whole registers: what is beyond the newest token has no weight.
        var padded = (count + V.Count - 1) / V.Count * V.Count + Tile;
        var scratch = new ScratchMemory(ScratchMemory.Size<float>(padded) + ScratchMemory.Size<int>(padded));
        var scores = scratch.Take<float>(padded);
        var slots = scratch.Take<int>(padded);
        for (var i = 0; i < padded; i++)
            slots[i] = sequence.Slot(first + Math.Min(i, count - 1));
        Score<V>(query, rows, slots, count, scores);
        Finish(scores, count, rule);
        for (var i = count; i < padded; i++)
            scores[i] = float.NegativeInfinity;
        var sum = Exponentiate<V>(scores, padded - Tile, sink);
        Average<V>(scores, slots, count, rows, 1 / sum, output);
    }

    /// <summary>q·k of each position, four at a time.</summary>
    private static void Score<V>(float* query, CachedRows rows, int* slots, int count, float* scores) where V : unmanaged, ILanes<V>
    {
        for (var position = 0; position < count; position += Tile)
        {
            float* k0 = rows.Key(slots[position]), k1 = rows.Key(slots[position + 1]);
            float* k2 = rows.Key(slots[position + 2]), k3 = rows.Key(slots[position + 3]);
            V s0 = default, s1 = default, s2 = default, s3 = default;
            var i = 0;
            for (; i + V.Count <= rows.Dim; i += V.Count)
            {
                var q = V.Load(query + i);
                s0 = V.MultiplyAdd(q, V.Load(k0 + i), s0);
                s1 = V.MultiplyAdd(q, V.Load(k1 + i), s1);
                s2 = V.MultiplyAdd(q, V.Load(k2 + i), s2);
                s3 = V.MultiplyAdd(q, V.Load(k3 + i), s3);
            }
            V.StoreSums(s0, s1, s2, s3, scores + position);
            for (; i < rows.Dim; i++)
            {
                scores[position] += query[i] * k0[i];
                scores[position + 1] += query[i] * k1[i];
                scores[position + 2] += query[i] * k2[i];
                scores[position + 3] += query[i] * k3[i];
            }
        }
    }

    /// <summary>Scaled and capped.</summary>
    private static void Finish(float* scores, int count, AttentionRule rule)
    {
        var scale = (float)rule.Scale;
        for (var i = 0; i < count; i++)
            scores[i] *= scale;
        if (rule.SoftCap is not { } cap)
            return;
        for (var i = 0; i < count; i++)
            scores[i] = (float)cap * MathF.Tanh(scores[i] / (float)cap);
    }

    /// <summary>exp(score - largest), and their sum with the sink's.</summary>
    private static float Exponentiate<V>(float* scores, int padded, float sink) where V : unmanaged, ILanes<V>
    {
        var most = V.Create(sink);
        for (var i = 0; i < padded; i += V.Count)
            most = V.Max(most, V.Load(scores + i));
        var largest = sink;
        for (var lane = 0; lane < V.Count; lane++)
            largest = Math.Max(largest, most[lane]);
        var (offset, factor) = (V.Create(-largest * (float)Exponential.LogOfE), V.Create((float)Exponential.LogOfE));
        V sums = default;
        for (var i = 0; i < padded; i += V.Count)
        {
            var weight = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(scores + i), factor, offset));
            weight.Store(scores + i);
            sums += weight;
        }
        return V.Sum(sums) + MathF.Exp(sink - largest);
    }

    /// <summary>Values by weight, a few registers of a head at a time.</summary>
    private static void Average<V>(float* weights, int* slots, int count, CachedRows rows, float factor, float* output)
        where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i + Tile * V.Count <= rows.Dim; i += Tile * V.Count)
        {
            V s0 = default, s1 = default, s2 = default, s3 = default;
            for (var position = 0; position < count; position++)
            {
                var weight = V.Create(weights[position]);
                var value = rows.Value(slots[position]) + i;
                s0 = V.MultiplyAdd(weight, V.Load(value), s0);
                s1 = V.MultiplyAdd(weight, V.Load(value + V.Count), s1);
                s2 = V.MultiplyAdd(weight, V.Load(value + 2 * V.Count), s2);
                s3 = V.MultiplyAdd(weight, V.Load(value + 3 * V.Count), s3);
            }
            (s0 * factor).Store(output + i);
            (s1 * factor).Store(output + i + V.Count);
            (s2 * factor).Store(output + i + 2 * V.Count);
            (s3 * factor).Store(output + i + 3 * V.Count);
        }
        for (; i + V.Count <= rows.Dim; i += V.Count)
        {
            V sum = default;
            for (var position = 0; position < count; position++)
                sum = V.MultiplyAdd(V.Create(weights[position]), V.Load(rows.Value(slots[position]) + i), sum);
            (sum * factor).Store(output + i);
        }
        for (; i < rows.Dim; i++)
        {
            var sum = 0f;
            for (var position = 0; position < count; position++)
                sum += weights[position] * rows.Value(slots[position])[i];
            output[i] = sum * factor;
        }
    }
}
