using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.RewardModel;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>The reward objective on transformers' classifiers: loss, accuracy and gradients of a batch of pairs with margins.</summary>
[Trait("Category", "Golden")]
public sealed class RewardObjectiveGoldenTests
{
    private const double LossTolerance = 1e-5;
    private const double GradientTolerance = 1e-4;

    /// <summary>Folders whose description names a loss of scores.</summary>
    public static TheoryData<string> Models()
    {
        var data = new TheoryData<string>();
        foreach (var folder in Directory.GetDirectories(SharedFolders.Golden("models")).Order(StringComparer.Ordinal))
        {
            var meta = Path.Combine(folder, "meta.json");
            if (File.Exists(meta) && JsonNode.Parse(File.ReadAllText(meta))!["center_rewards_coefficient"] is not null)
                data.Add(Path.GetFileName(folder));
        }
        return data;
    }

    [Fact]
    public void Models_DefaultFolder_HasOne() => Assert.True(!SharedFolders.IsDefaultGolden || Models().Count > 0);

    [Theory]
    [MemberData(nameof(Models))]
    public void Compute_GoldenModel_GivesLossMetricsAndGradients(string name)
    {
        var folder = SharedFolders.Golden("models", name);
        var meta = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "meta.json")))!.AsObject();
        using var scope = new TensorScope();
        using var model = SequenceClassifier.Load(folder, DType.Float32);
        using var inputs = new SafetensorsFile(Path.Combine(folder, "inputs.safetensors"));
        using var gradients = new SafetensorsFile(Path.Combine(folder, "grads.safetensors"));
        var objective = new RewardObjective(
            new ClassifierRewardModel(model, ForwardOptions.Default),
            new PreferenceOptions { CenterRewardsCoefficient = meta.Number("center_rewards_coefficient") });
        var batch = Batch(inputs);
        using var tape = new Tape();
        var result = ObjectiveRun.Alone(objective, tape, batch);
        tape.Backward(result.Loss);

        Assert.Equal(meta.Number("loss_value"), result.Loss.Value.Item(), LossTolerance);
        var metrics = result.Metrics.EndStep().Means().ToDictionary(metric => metric.Name, metric => metric.Value);
        var rewards = meta.Numbers("rewards");
        var pairs = rewards.Length / 2;
        Assert.Equal(meta.Number("accuracy"), metrics[MetricNames.Accuracy], LossTolerance);
        Assert.Equal(rewards.Min(), metrics[MetricNames.MinReward], 1e-4);
        Assert.Equal(rewards.Average(), metrics[MetricNames.MeanReward], 1e-4);
        Assert.Equal(rewards.Max(), metrics[MetricNames.MaxReward], 1e-4);
        Assert.Equal(rewards[..pairs].Average() - rewards[pairs..].Average(), metrics[MetricNames.Margin], 1e-4);
        foreach (var key in gradients.Header.Tensors.Keys)
        {
            var gradient = model.Parameters.Single(parameter => parameter.Name == key).Grad!;
            var expected = gradients.Get(key);
            Assert.InRange(Norm(gradient.Subtract(expected)) / Norm(expected), 0, GradientTolerance);
        }
        foreach (var parameter in model.Parameters)
        {
            var expected = meta["grad_norms"]!.Number(parameter.Name);
            Assert.Equal(expected, Norm(parameter.Grad!), GradientTolerance * expected);
        }
    }

    private static double Norm(Tensor tensor) => Math.Sqrt(tensor.Values().Sum(value => value * value));

    /// <summary>Rows 0..P-1 chosen, P..2P-1 rejected; what both begin with is the shared prompt.</summary>
    private static TokenBatch Batch(SafetensorsFile inputs)
    {
        var (ids, attention) = (Rows(inputs, "input_ids"), Rows(inputs, "attention_mask"));
        var margins = inputs.Get("margin").Values();
        int[][] rows = [.. ids.Select((row, i) => row.Where((_, t) => attention[i][t] == 1).Select(id => (int)id).ToArray())];
        return TokenBatch.Concatenate([.. margins.Select((margin, i) => Pair(rows[i], rows[i + margins.Length], i, margin)
            .ToSharedPrefix())]);
    }

    private static PreferencePair Pair(int[] chosen, int[] rejected, int index, double margin)
    {
        var shared = chosen.Zip(rejected).TakeWhile(pair => pair.First == pair.Second).Count();
        shared = Math.Min(shared, Math.Min(chosen.Length, rejected.Length) - 1);
        return new PreferencePair(chosen[..shared], chosen[shared..], rejected[shared..], index, margin);
    }

    private static long[][] Rows(SafetensorsFile file, string name) =>
    [
        .. file.Get(name).ToArray<long>().Chunk((int)file.Get(name).Size(1)),
    ];
}
