using Handbook.Autograd;
using Handbook.Autograd.Kernels;

namespace Handbook.Models.Generation;

/// <summary>
/// Chooses the next token of one sequence. The n-th draw depends on the request's seed, the sample's number and n alone, so
/// results do not depend on what else is generated at the same time.
/// </summary>
internal sealed class TokenSampler
{
    private readonly SamplingOptions options;
    private readonly RandomStream random;
    private readonly HashSet<int> occurred;
    private ulong draws;
    private double[] weights = [];

    internal TokenSampler(SamplingOptions options, int sample, ReadOnlySpan<int> prompt)
    {
        this.options = options;
        random = new RandomStream(options.Seed ^ (0xD1B54A32D192ED03UL * (ulong)(sample + 1)));
        occurred = options.RepetitionPenalty == 1 ? [] : [.. prompt];
    }

    /// <summary>Chooses a token from logits, which it may overwrite, and gives its log-probability under them as they came.</summary>
    internal (int Token, double Logp) Next(Span<float> logits)
    {
        var best = LogitRow.ArgMax(logits);
        var logNormalizer = LogitRow.LogSumExp(logits, logits[best]);
        Dictionary<int, float> kept = [];
        if (options.RepetitionPenalty != 1)
        {
            kept = Penalize(logits);
            best = LogitRow.ArgMax(logits);
        }
        var token = options.Temperature == 0 ? best : Draw(logits, logits[best]);
        var raw = kept.TryGetValue(token, out var original) ? original : logits[token];
        if (options.RepetitionPenalty != 1)
            occurred.Add(token);
        return (token, raw - logNormalizer);
    }

    private Dictionary<int, float> Penalize(Span<float> logits)
    {
        var originals = new Dictionary<int, float>();
        var penalty = (float)options.RepetitionPenalty;
        foreach (var token in occurred)
        {
            originals[token] = logits[token];
            logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
        }
        return originals;
    }

    private int Draw(ReadOnlySpan<float> logits, float largest)
    {
        var uniform = (random.Bits(draws++) >> 11) * (1.0 / (1UL << 53));
        if (weights.Length != logits.Length)
            weights = new double[logits.Length];
        var total = 0.0;
        for (var i = 0; i < weights.Length; i++)
            total += weights[i] = Math.Exp((logits[i] - largest) / options.Temperature);
        if (options.TopK == 0 && options.TopP == 1 && options.MinP == 0)
            return Pick(null, weights.Length, uniform);
        // Most of a vocabulary lies far below the best tokens: sort those, and all only when they do not suffice.
        for (var least = 1e-4; ; least = least < 1e-12 ? 0 : least * 1e-4)
        {
            var order = Descending(logits, least);
            if (Nucleus(order, logits.Length, total) is { } count)
                return Pick(order, count, uniform);
        }
    }

    /// <summary>Tokens of at least this weight by falling logit, the first of equals first.</summary>
    private int[] Descending(ReadOnlySpan<float> logits, double least)
    {
        var keys = new List<ulong>();
        for (var i = 0; i < logits.Length; i++)
        {
            if (weights[i] >= least)
                keys.Add(((ulong)Rank(logits[i]) << 32) | (uint)i);
        }
        keys.Sort();
        return [.. keys.Select(key => (int)(uint)key)];
    }

    /// <summary>Falls as the number rises: bits of a float order as integers once the sign is taken care of.</summary>
    private static uint Rank(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return (bits & 0x80000000) == 0 ? ~(bits | 0x80000000) : bits;
    }

    /// <summary>
    /// How many tokens of the order may be drawn: top-k, then top-p over what is left, then min-p. Null when the order, which
    /// holds only the heaviest tokens, is too short to tell.
    /// </summary>
    private int? Nucleus(int[] order, int vocabulary, double total)
    {
        var isWhole = order.Length == vocabulary;
        var count = options.TopK > 0 ? Math.Min(options.TopK, vocabulary) : vocabulary;
        var sum = 0.0;
        if (options.TopK > 0)
        {
            if (count > order.Length)
                return null;
            total = 0;
            for (var i = 0; i < count; i++)
                total += weights[order[i]];
        }
        if (options.TopP < 1)
        {
            var kept = 0;
            while (kept < Math.Min(count, order.Length) && sum < options.TopP * total)
                sum += weights[order[kept++]];
            if (sum < options.TopP * total && !isWhole)
                return null;
            count = Math.Max(1, kept);
        }
        if (count > order.Length && (options.MinP == 0 || weights[order[^1]] >= options.MinP))
            return isWhole ? order.Length : null;
        count = Math.Min(count, order.Length);
        while (count > 1 && weights[order[count - 1]] < options.MinP)
            count--;
        return count;
    }

    private int Pick(int[]? order, int count, double uniform)
    {
        var total = 0.0;
        for (var i = 0; i < count; i++)
            total += weights[order?[i] ?? i];
        var threshold = uniform * total;
        var sum = 0.0;
        var last = order?[0] ?? 0;
        for (var i = 0; i < count; i++)
        {
            var token = order?[i] ?? i;
            if (weights[token] == 0)
                continue;
            last = token;
            sum += weights[token];
            if (sum > threshold)
                break;
        }
        return last;
    }
}
