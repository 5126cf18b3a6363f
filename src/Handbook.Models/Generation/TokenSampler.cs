using Handbook.Autograd;

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

    internal TokenSampler(SamplingOptions options, int sample, ReadOnlySpan<int> prompt)
    {
        this.options = options;
        random = new RandomStream(options.Seed ^ (0xD1B54A32D192ED03UL * (ulong)(sample + 1)));
        occurred = options.RepetitionPenalty == 1 ? [] : [.. prompt];
    }

    /// <summary>Chooses a token from logits, which it may overwrite, and gives its log-probability under them as they came.</summary>
    internal (int Token, double Logp) Next(Span<float> logits)
    {
        var logNormalizer = LogSumExp(logits);
        var kept = options.RepetitionPenalty == 1 ? [] : Penalize(logits);
        var token = options.Temperature == 0 ? ArgMax(logits) : Draw(logits);
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

    private int Draw(ReadOnlySpan<float> logits)
    {
        var uniform = (random.Bits(draws++) >> 11) * (1.0 / (1UL << 53));
        var largest = logits[ArgMax(logits)];
        var weights = new double[logits.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = Math.Exp((logits[i] - largest) / options.Temperature);
        if (options.TopK == 0 && options.TopP == 1 && options.MinP == 0)
            return Pick(weights, null, weights.Length, uniform);
        var order = new int[weights.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        // The first of equals comes first, as with a stable descending sort.
        Array.Sort(order, (a, b) => weights[a] != weights[b] ? weights[b].CompareTo(weights[a]) : a.CompareTo(b));
        return Pick(weights, order, Nucleus(weights, order), uniform);
    }

    // How many tokens of the order may be drawn: top-k, then top-p over what is left, then min-p.
    private int Nucleus(double[] weights, int[] order)
    {
        var count = options.TopK > 0 ? Math.Min(options.TopK, order.Length) : order.Length;
        if (options.TopP < 1)
        {
            var total = 0.0;
            for (var i = 0; i < count; i++)
                total += weights[order[i]];
            var sum = 0.0;
            for (var i = 0; i < count; i++)
            {
                sum += weights[order[i]];
                if (sum >= options.TopP * total)
                    count = i + 1;
            }
        }
        while (count > 1 && weights[order[count - 1]] < options.MinP * weights[order[0]])
            count--;
        return count;
    }

    private static int Pick(double[] weights, int[]? order, int count, double uniform)
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

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
                best = i;
        }
        return best;
    }

    private static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var largest = logits[ArgMax(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
            sum += MathF.Exp(logit - largest);
        return largest + Math.Log(sum);
    }
}
