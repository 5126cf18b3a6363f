using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Models.Generation;
using Handbook.Models.Tests.Golden;
using Handbook.Torch;

namespace Handbook.Models.Tests.Generation;

public sealed class GeneratorTests
{
    public static TheoryData<string, bool> GoldenModelNames() => CausalGoldenTests.Models();

    [Theory]
    [MemberData(nameof(GoldenModelNames))]
    [Trait("Category", "Golden")]
    public void Run_Greedy_GivesReferenceTokens(string folder, bool fused)
    {
        FusedKernels.Enabled = fused;
        try
        {
            using var model = CausalLanguageModel.Load(GoldenModels.PathOf(folder), DType.Float32);
            var cases = GoldenModels.Meta(folder)["greedy"]!.AsArray();
            var requests = cases.Select(greedy => new GenerationRequest
            {
                Prompt = Integers(greedy!["prompt"]!),
                MaxNewTokens = Integers(greedy["tokens"]!).Length,
                StopTokens = [],
            }).ToArray();

            var results = new Generator(model).Run(requests);

            Assert.Equal(cases.Select(greedy => Integers(greedy!["tokens"]!)), results.Select(result => result[0].Tokens.ToArray()));
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Run_ManyAtOnce_GivesResultsOfOneByOne(DType dtype)
    {
        using var model = TinyModels.Create(dtype);
        var requests = TinyModels.Prompts(20).Select((prompt, i) => new GenerationRequest
        {
            Prompt = prompt,
            MaxNewTokens = 3 + i % 10,
            Sampling = Sampling(i),
        }).ToArray();

        var alone = requests.Select(request => new Generator(model).Run(request)).ToArray();
        var together = new Generator(model, new GeneratorOptions { MaxBatch = 7 }).Run(requests);
        var crowded = new Generator(model, new GeneratorOptions { MaxBatch = 20, CacheTokens = 150 }).Run(requests);

        for (var i = 0; i < requests.Length; i++)
        {
            foreach (var result in new[] { together[i][0], crowded[i][0] })
            {
                Assert.Equal(alone[i].Tokens, result.Tokens);
                Assert.Equal(alone[i].TokenLogps, result.TokenLogps);
                Assert.Equal(alone[i].Reason, result.Reason);
            }
        }
        Assert.Contains(alone, result => result.Reason == FinishReason.StopToken);
        Assert.Contains(alone, result => result.Reason == FinishReason.Length);
    }

    [Fact]
    public void Run_SamplesOfOnePrompt_ShareItAndDoNotDependOnBatching()
    {
        using var model = TinyModels.Create();
        var requests = TinyModels.Prompts(3).Select(prompt => new GenerationRequest
        {
            Prompt = [.. prompt, .. prompt],
            MaxNewTokens = 8,
            SampleCount = 5,
            Sampling = new SamplingOptions { Seed = 3 },
        }).ToArray();

        var one = new Generator(model, new GeneratorOptions { MaxBatch = 1 }).Run(requests);
        var many = new Generator(model, new GeneratorOptions { MaxBatch = 11 }).Run(requests);
        var few = new Generator(model).Run([requests[1] with { SampleCount = 2 }]);

        Assert.Equal(one.SelectMany(samples => samples).Select(Text), many.SelectMany(samples => samples).Select(Text));
        Assert.Equal(one[1].Take(2).Select(result => Text(result with { Request = 0 })), few[0].Select(Text));
        Assert.True(one[1].Select(Text).Distinct().Count() > 1);
    }

    [Theory]
    [InlineData("null", true)]
    [InlineData("null", false)]
    [InlineData("""{"rope_type": "dynamic", "factor": 2.0}""", true)]
    [InlineData("""{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}""", true)]
    public void Run_WithCache_GivesTokensOfForwardPasses(string scaling, bool fused)
    {
        FusedKernels.Enabled = fused;
        try
        {
            using var model = TinyModels.Create(fields: [("rope_scaling", JsonNode.Parse(scaling)), ("max_position_embeddings", 64)]);
            // Dynamic scaling turns old keys by the length they were written at, so only prompts beyond the limit can agree.
            var prompt = TinyModels.Prompts(9)[8].Concat(Enumerable.Range(3, 70)).ToArray();

            var result = new Generator(model).Run(
                new GenerationRequest { Prompt = prompt, MaxNewTokens = scaling.Contains("dynamic") ? 1 : 12, StopTokens = [] });

            Assert.Equal(GreedyByForward(model, prompt, result.Tokens.Count), result.Tokens);
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    [Fact]
    public void Run_StopString_EndsThere()
    {
        using var model = TinyModels.Create();
        var request = new GenerationRequest { Prompt = [5, 6, 7], MaxNewTokens = 30, StopTokens = [] };
        var free = new Generator(model).Run(request);
        static string Decode(IReadOnlyList<int> tokens) => string.Concat(tokens.Select(token => $"<{token}>"));
        var stop = Decode([free.Tokens[10], free.Tokens[11]]);
        var heard = new List<int>();

        var result = new Generator(model).Run(request with
        {
            StopStrings = ["never", stop],
            BeginText = () => token => Decode([token]),
            OnToken = (_, token) => heard.Add(token),
        });

        Assert.Equal(FinishReason.StopString, result.Reason);
        Assert.Equal(stop, result.StopString);
        Assert.EndsWith(stop, Decode(result.Tokens), StringComparison.Ordinal);
        Assert.Equal(free.Tokens.Take(result.Tokens.Count), result.Tokens);
        Assert.Equal(result.Tokens, heard);
    }

    [Fact]
    public void Run_Logps_AreThoseOfTheForwardPass()
    {
        using var model = TinyModels.Create();
        int[] prompt = [9, 8, 7];
        var result = new Generator(model).Run(new GenerationRequest
        {
            Prompt = prompt,
            MaxNewTokens = 12,
            StopTokens = [],
            Sampling = new SamplingOptions { Temperature = 1.5, TopK = 20, RepetitionPenalty = 1.3, Seed = 5 },
        });
        int[] ids = [.. prompt, .. result.Tokens];
        var rows = Enumerable.Range(prompt.Length - 1, result.Tokens.Count).ToArray();
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);

        var hidden = model.Forward(tape, ids, SequenceLayout.Documents([ids.Length]));
        var (logps, _) = model.Head.TokenLogps(tape, hidden.Hidden, rows, [.. result.Tokens]);

        Assert.All(result.TokenLogps.Zip(logps.Value.ToArray<double>()), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
    }

    [Fact]
    public void Run_Ended_LeavesNoTensor()
    {
        using var model = TinyModels.Create();
        var requests = TinyModels.Prompts(5).Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = 4, SampleCount = 2 })
            .ToArray();
        new Generator(model).Run(requests);
        var before = Tensor.LiveCount;

        new Generator(model).Run(requests);

        Assert.Equal(before, Tensor.LiveCount);
    }

    [Fact]
    public void Run_EmptyPrompt_IsRefused()
    {
        using var model = TinyModels.Create();

        Assert.Throws<UserErrorException>(() => new Generator(model).Run(new GenerationRequest { Prompt = [] }));
    }

    private static SamplingOptions Sampling(int i) => (i % 4) switch
    {
        0 => SamplingOptions.Greedy,
        1 => new SamplingOptions { Seed = (ulong)i },
        2 => new SamplingOptions { Seed = (ulong)i, Temperature = 0.7, TopK = 10, TopP = 0.9, RepetitionPenalty = 1.2 },
        _ => new SamplingOptions { Seed = (ulong)i, MinP = 0.05 },
    };

    private static string Text(GenerationResult result) =>
        $"{result.Request}/{result.Sample}: {string.Join(" ", result.Tokens)} {result.Reason}";

    private static int[] Integers(JsonNode list) => [.. list.AsArray().Select(item => item!.GetValue<int>())];

    private static int[] GreedyByForward(CausalLanguageModel model, int[] prompt, int count)
    {
        var ids = prompt.ToList();
        for (var i = 0; i < count; i++)
        {
            using var scope = new TensorScope();
            using var tape = new Tape(isRecording: false);
            var hidden = model.Forward(tape, ids.ToArray(), SequenceLayout.Documents([ids.Count]));
            var logits = model.Head.Logits(hidden.Value.Narrow(0, ids.Count - 1, 1));
            ids.Add((int)logits.ArgMax(1).Item());
        }
        return [.. ids.Skip(prompt.Length)];
    }
}
