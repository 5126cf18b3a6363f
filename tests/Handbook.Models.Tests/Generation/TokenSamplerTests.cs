using Handbook.Models.Generation;

namespace Handbook.Models.Tests.Generation;

public sealed class TokenSamplerTests
{
    // Probabilities 0.5, 0.3, 0.15, 0.05 in another order.
    private static readonly float[] Logits = Array.ConvertAll([0.15, 0.5, 0.05, 0.3], p => (float)Math.Log(p) + 2);

    [Fact]
    public void Next_TemperatureZero_TakesFirstOfLargest() => Assert.Equal(1, Draw(SamplingOptions.Greedy, [1f, 3f, 3f, 2f]).Token);

    [Theory]
    [InlineData(1, 0, 1.0, 0.0, "0.15 0.5 0.05 0.3")]
    [InlineData(1, 2, 1.0, 0.0, "0 0.625 0 0.375")]
    [InlineData(1, 0, 0.8, 0.0, "0 0.625 0 0.375")]
    [InlineData(1, 0, 0.81, 0.0, "0.158 0.526 0 0.316")]
    [InlineData(1, 0, 1.0, 0.2, "0.158 0.526 0 0.316")]
    [InlineData(0.5, 0, 1.0, 0.0, "0.0616 0.6849 0.0068 0.2466")]
    [InlineData(1, 3, 0.6, 0.0, "0 0.625 0 0.375")]
    public void Next_ManyDraws_FollowFilteredDistribution(double temperature, int topK, double topP, double minP, string expected)
    {
        var sampler = new TokenSampler(new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, Seed = 4 },
            0, []);
        var counts = new double[4];
        const int draws = 20_000;

        for (var i = 0; i < draws; i++)
            counts[sampler.Next(Logits.ToArray()).Token]++;

        var frequencies = expected.Split(' ').Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))
            .ToArray();
        for (var i = 0; i < counts.Length; i++)
        {
            // Four standard deviations of the count.
            Assert.Equal(frequencies[i] * draws, counts[i],
                4 * Math.Sqrt(draws * frequencies[i] * (1 - frequencies[i])) + 0.003 * draws * Math.Sign(frequencies[i]));
        }
    }

    [Theory]
    [InlineData(40, 1.0, 0.0)]
    [InlineData(0, 0.95, 0.0)]
    [InlineData(0, 0.9999999, 0.0)]
    [InlineData(0, 1.0, 1e-3)]
    [InlineData(500, 0.99, 0.01)]
    [InlineData(0, 1.0, 1e-9)]
    public void Next_LargeVocabulary_DrawsOnlyWhatAPlainSortKeeps(int topK, double topP, double minP)
    {
        var random = new Random(2);
        for (var round = 0; round < 30; round++)
        {
            var scale = random.NextDouble() * 20;
            var logits = Enumerable.Range(0, 2000).Select(_ => (float)((random.NextDouble() - 0.5) * scale)).ToArray();
            var options = new SamplingOptions { TopK = topK, TopP = topP, MinP = minP, Seed = (ulong)round };
            var allowed = PlainlyKept(logits, topK, topP, minP);

            var sampler = new TokenSampler(options, 0, []);

            for (var draw = 0; draw < 20; draw++)
                Assert.Contains(sampler.Next(logits.ToArray()).Token, allowed);
        }
    }

    [Fact]
    public void Next_RepetitionPenalty_HoldsBackPromptAndChosenTokens()
    {
        var sampler = new TokenSampler(SamplingOptions.Greedy with { RepetitionPenalty = 2 }, 0, [1, 2]);

        Assert.Equal(0, sampler.Next([1.6f, 3f, -1f]).Token);
        // 0 is penalised now as well: 0.8 against 1.5 and -2.
        Assert.Equal(1, sampler.Next([1.6f, 3f, -1f]).Token);
    }

    [Fact]
    public void Next_Logp_IsOfTheUnchangedDistribution()
    {
        var (token, logp) = Draw(new SamplingOptions { Temperature = 0.1, TopK = 1, RepetitionPenalty = 5 }, Logits);

        Assert.Equal(1, token);
        Assert.Equal(Math.Log(0.5), logp, 1e-5);
    }

    [Fact]
    public void Next_OtherSampleOrSeed_DrawsOtherTokens()
    {
        string Sequence(ulong seed, int sample)
        {
            var sampler = new TokenSampler(new SamplingOptions { Seed = seed }, sample, []);
            return string.Concat(Enumerable.Range(0, 40).Select(_ => sampler.Next(Logits.ToArray()).Token));
        }
        Assert.Equal(Sequence(1, 0), Sequence(1, 0));
        Assert.Equal(4, new[] { Sequence(1, 0), Sequence(1, 1), Sequence(2, 0), Sequence(2, 1) }.Distinct().Count());
    }

    [Theory]
    [InlineData(-0.1, 0, 1.0, 0.0, 1.0, "temperature")]
    [InlineData(double.NaN, 0, 1.0, 0.0, 1.0, "temperature")]
    [InlineData(1, -1, 1.0, 0.0, 1.0, "top_k")]
    [InlineData(1, 0, 0.0, 0.0, 1.0, "top_p")]
    [InlineData(1, 0, 1.0, 1.5, 1.0, "min_p")]
    [InlineData(1, 0, 1.0, 0.0, 0.0, "repetition_penalty")]
    public void Check_OutOfRange_NamesSetting(double temperature, int topK, double topP, double minP, double penalty, string name)
    {
        var options = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = penalty };

        Assert.StartsWith(name, Assert.Throws<UserErrorException>(options.Check).Message, StringComparison.Ordinal);
    }

    // One token of slack at the edge of the nucleus, where rounding decides.
    private static HashSet<int> PlainlyKept(float[] logits, int topK, double topP, double minP)
    {
        var order = Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).Take(topK > 0 ? topK : logits.Length).ToArray();
        var weights = order.Select(i => Math.Exp(logits[i] - logits[order[0]])).ToArray();
        var total = weights.Sum();
        var sum = 0.0;
        var kept = new HashSet<int>();
        for (var i = 0; i < order.Length && (sum <= topP * total * (1 + 1e-12)) && weights[i] >= minP * (1 - 1e-12); i++)
        {
            kept.Add(order[i]);
            sum += weights[i];
        }
        return kept;
    }

    private static (int Token, double Logp) Draw(SamplingOptions options, float[] logits) =>
        new TokenSampler(options, 0, []).Next(logits.ToArray());
}
