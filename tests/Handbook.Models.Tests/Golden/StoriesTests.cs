using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Models.Generation;
using Handbook.TestSupport;
using Handbook.Tokenizers;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

[Trait("Category", "Golden")]
public sealed class StoriesTests
{
    private static string Root => SharedFolders.Data("models");

    public static TheoryData<string, bool> Models()
    {
        var rows = new TheoryData<string, bool>();
        foreach (var folder in Directory.GetDirectories(Root).Where(folder => File.Exists(Path.Combine(folder, "golden.json")))
            .Order(StringComparer.Ordinal))
        {
            rows.Add(Path.GetFileName(folder), true);
            rows.Add(Path.GetFileName(folder), false);
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void TrainedModel_GivesReferenceLogitsTextAndLoss(string name, bool fused)
    {
        FusedKernels.Enabled = fused;
        try
        {
            var folder = SharedFolders.Data("models", name, "hf");
            var golden = JsonNode.Parse(File.ReadAllText(SharedFolders.Data("models", name, "golden.json")))!;
            var tokenizer = Tokenizer.Load(folder);
            using var model = CausalLanguageModel.Load(folder, DType.Float32);
            foreach (var row in golden["generation"]!.AsArray())
                CheckGeneration(model, tokenizer, row!);
            foreach (var row in golden["nll"]!.AsArray())
                CheckLoss(model, tokenizer, row!);
            if (fused)
                CheckExpectedText(model, tokenizer, SharedFolders.Data("models", name, "EXPECTED.txt"));
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    private static void CheckGeneration(CausalLanguageModel model, Tokenizer tokenizer, JsonNode row)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var prompt = Integers(row["prompt_ids"]!);
        var expected = Integers(row["greedy_ids"]!);
        var logits = row["logits_after_prompt"]!.AsArray().Select(item => item!.GetValue<double>()).ToArray();
        Assert.Equal(prompt, tokenizer.Encode(row["prompt"]!.GetValue<string>(), addSpecialTokens: true).Ids);

        var hidden = model.Forward(tape, prompt, SequenceLayout.Documents([prompt.Length]));
        var actual = model.Head.Logits(hidden.Value.Narrow(0, prompt.Length - 1, 1)).ToArray<double>();
        var result = new Generator(model).Run(new GenerationRequest { Prompt = prompt, MaxNewTokens = expected.Length });

        Assert.All(logits.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.Equal(expected, result.Tokens);
        Assert.Equal(row["text"]!.GetValue<string>(),
            tokenizer.Decode([.. prompt.Where(id => id != tokenizer.BosId), .. result.Tokens], skipSpecialTokens: true));
    }

    private static void CheckLoss(CausalLanguageModel model, Tokenizer tokenizer, JsonNode row)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var ids = Integers(row["ids"]!);
        Assert.Equal(ids, tokenizer.Encode(row["text"]!.GetValue<string>(), addSpecialTokens: true).Ids.Take(ids.Length));
        var hidden = model.Forward(tape, ids, SequenceLayout.Documents([ids.Length]));
        var (logps, _) = model.Head.TokenLogps(tape, hidden.Hidden, [.. Enumerable.Range(0, ids.Length - 1)], ids.AsSpan(1));

        Assert.Equal(row["mean_nll"]!.GetValue<double>(), -logps.Value.ToArray<double>().Average(), 1e-4);
    }

    private static void CheckExpectedText(CausalLanguageModel model, Tokenizer tokenizer, string path)
    {
        var expected = File.ReadAllText(path).TrimEnd('\n');

        var result = new Generator(model).Run(new GenerationRequest { Prompt = [tokenizer.BosId!.Value], MaxNewTokens = 256 });

        Assert.Equal(expected, tokenizer.Decode([.. result.Tokens], skipSpecialTokens: true).TrimEnd('\n'));
    }

    private static int[] Integers(JsonNode list) => [.. list.AsArray().Select(item => item!.GetValue<int>())];
}
