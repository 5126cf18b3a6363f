using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Schedules;

namespace Handbook.Training.Tests.Loop;

/// <summary>
/// Short training runs of transformers and TRL, step by step: loss and metrics within 1e-4, gradient norm within 1e-3 relative,
/// final weights within 1e-3 (the golden folder's README states the tolerances).
/// </summary>
[Trait("Category", "Golden")]
public sealed class GoldenTraceTests
{
    private const double LossTolerance = 1e-4;
    private const double NormTolerance = 1e-3;

    public static TheoryData<string> Runs(string prefix)
    {
        var data = new TheoryData<string>();
        foreach (var _ in SharedFolders.GoldenFiles("models/trace", "trace.json"))
        {
            foreach (var (name, _) in Trace()["runs"]!.AsObject().Where(run => Matches(prefix, run.Key)))
                data.Add(name);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Runs), "sft")]
    public void TrainingStep_SupervisedTrace_FollowsTheReference(string name)
    {
        var run = Trace()["runs"]![name]!.AsObject();
        using var scope = new TensorScope();
        using var batches = new SafetensorsFile(SharedFolders.Golden("models", "trace", "batches.safetensors"));
        using var model = LoadModel();
        using var optimizer = Optimizer(run, model);
        var step = new TrainingStep(
            new NextTokenObjective(new CausalPolicy(model, ForwardOptions.Default)), model.Parameters, optimizer,
            Number(run, "max_grad_norm"), 1);
        Follow(run, step, expected => [.. expected["microbatches"]!.AsArray().Select(index => Supervised(batches, (int)index!))],
            optimizer, model, name);
    }

    [Theory]
    [MemberData(nameof(Runs), "lora_sft")]
    public void TrainingStep_AdapterTrace_FollowsTheReference(string name)
    {
        var run = Trace()["runs"]![name]!.AsObject();
        using var scope = new TensorScope();
        using var batches = new SafetensorsFile(SharedFolders.Golden("models", "trace", "batches.safetensors"));
        using var model = LoadModel();
        var folder = Path.GetDirectoryName(SharedFolders.Golden("models", "trace", (string)run["initial_adapter"]!))!;
        using var adapter = Adapter.Load(model, new AdapterFolder(folder), isTrained: true);
        using var optimizer = Optimizer(run, adapter);
        var step = new TrainingStep(
            new NextTokenObjective(new CausalPolicy(model, ForwardOptions.Default)), adapter.Parameters, optimizer,
            Number(run, "max_grad_norm"), 1);
        Follow(run, step, expected => [.. expected["microbatches"]!.AsArray().Select(index => Supervised(batches, (int)index!))]);
        foreach (var (parameter, expected) in run["final_adapter"]!.AsObject())
        {
            var weights = optimizer.Weights(adapter.Parameters.Single(one => one.Name == parameter));
            Assert.Equal(expected!["norm"]!.GetValue<double>(), Math.Sqrt(weights.Multiply(weights).Sum().Item()), 1e-3);
            Assert.Equal(expected["sum"]!.GetValue<double>(), weights.Sum().Item(), 1e-2);
        }
    }

    [Theory]
    [MemberData(nameof(Runs), "dpo")]
    public void TrainingStep_PreferenceTrace_FollowsTheReference(string name)
    {
        var run = Trace()["runs"]![name]!.AsObject();
        using var scope = new TensorScope();
        using var batches = new SafetensorsFile(SharedFolders.Golden("models", "trace", "batches.safetensors"));
        using var model = LoadModel();
        using var reference = LoadModel();
        using var optimizer = Optimizer(run, model);
        var objective = new PreferenceObjective(
            new CausalPolicy(model, ForwardOptions.Default), new LiveReference(new CausalPolicy(reference, ForwardOptions.Default)),
            new PreferenceOptions { Beta = Number(run, "beta"), LossTypes = [(string)run["loss_type"]!] });
        var step = new TrainingStep(objective, model.Parameters, optimizer, Number(run, "max_grad_norm"), 1);
        Follow(run, step, expected => [Pairs(batches, (int)expected["batch"]!)], optimizer, model, name);
    }

    [Theory]
    [MemberData(nameof(Runs), "orpo")]
    public void TrainingStep_OddsRatioTrace_FollowsTheReference(string name)
    {
        var run = Trace()["runs"]![name]!.AsObject();
        using var scope = new TensorScope();
        using var batches = new SafetensorsFile(SharedFolders.Golden("models", "trace", "batches.safetensors"));
        using var model = LoadModel();
        using var optimizer = Optimizer(run, model);
        var objective = new OddsRatioObjective(new CausalPolicy(model, ForwardOptions.Default),
            new PreferenceOptions { Beta = Number(run, "beta") });
        var step = new TrainingStep(objective, model.Parameters, optimizer, Number(run, "max_grad_norm"), 1);
        Follow(run, step, expected => [Pairs(batches, (int)expected["batch"]!, promptLabels: true)], optimizer, model, name);
    }

    private static bool Matches(string prefix, string name) => name.StartsWith(prefix, StringComparison.Ordinal);

    private static JsonNode Trace() => JsonNode.Parse(File.ReadAllText(SharedFolders.Golden("models", "trace", "trace.json")))!;

    private static double Number(JsonObject run, string key) => run[key]!.GetValue<double>();

    private static CausalLanguageModel LoadModel()
    {
        var weights = SharedFolders.Golden("models", "trace", (string)Trace()["initial_weights"]!);
        var model = CausalLanguageModel.Load(Path.GetDirectoryName(weights)!, DType.Float32);
        foreach (var parameter in model.Parameters)
            parameter.Replace(parameter.Value.Clone());
        return model;
    }

    private static IOptimizer Optimizer(JsonObject run, ISavedWeights model) => OptimizerTable.Create(
        new OptimizationOptions
        {
            LearningRate = Number(run, "base_lr"),
            AdamBeta1 = run["betas"]![0]!.GetValue<double>(),
            AdamBeta2 = run["betas"]![1]!.GetValue<double>(),
            AdamEpsilon = Number(run, "eps"),
            WeightDecay = Number(run, "weight_decay"),
        },
        Precision.Float32, model.Parameters, 1);

    private static void Follow(
        JsonObject run, TrainingStep step, Func<JsonObject, TokenBatch[]> batchesOf, IOptimizer optimizer, CausalLanguageModel model,
        string name)
    {
        Follow(run, step, batchesOf);
        using var final = new SafetensorsFile(SharedFolders.Golden("models", "trace", $"{name}_final_weights.safetensors"));
        foreach (var parameter in model.Parameters.Where(parameter => final.Header.Tensors.ContainsKey(parameter.Name)))
        {
            var difference = optimizer.Weights(parameter).MaxAbsDifference(final.Get(parameter.Name));
            Assert.True(difference < 1e-3, $"{parameter.Name}: {difference}");
        }
    }

    private static void Follow(JsonObject run, TrainingStep step, Func<JsonObject, TokenBatch[]> batchesOf)
    {
        var kind = Enum.Parse<ScheduleKind>((string)run["lr_scheduler_type"]!, ignoreCase: true);
        var schedule = LearningRateSchedule.Create(
            new ScheduleOptions { Kind = kind, WarmupSteps = (int)run["num_warmup_steps"]! }, Number(run, "base_lr"),
            (int)run["num_training_steps"]!);
        foreach (var node in run["steps"]!.AsArray())
        {
            var expected = node!.AsObject();
            var number = (int)expected["step"]!;
            var outcome = step.Run(number, schedule.At(number), batchesOf(expected));
            Assert.Equal(Number(expected, "learning_rate"), outcome.LearningRate, 1e-12);
            Assert.True(Math.Abs(Number(expected, "loss") - outcome.Loss) < LossTolerance,
                $"step {number}: loss {outcome.Loss}, expected {Number(expected, "loss")}");
            var norm = Number(expected, "grad_norm");
            Assert.True(Math.Abs(norm - outcome.GradientNorm) < NormTolerance * norm,
                $"step {number}: grad_norm {outcome.GradientNorm}, expected {norm}");
            var metrics = outcome.Metrics.Means().ToDictionary(metric => metric.Name, metric => metric.Value);
            foreach (var (key, value) in expected.Where(entry => entry.Key.Contains('/', StringComparison.Ordinal)
                || entry.Key is "nll_loss" or "log_odds_ratio" or "log_odds_chosen"))
                Assert.True(Math.Abs(value!.GetValue<double>() - metrics[key]) < LossTolerance,
                    $"step {number}: {key} {metrics[key]}, expected {value}");
        }
    }

    /// <summary>Rows of a padded batch as packed documents; the padding is left away.</summary>
    private static TokenBatch Supervised(SafetensorsFile file, int index)
    {
        var (ids, attention, labels) = (Rows(file, $"sft.{index}.input_ids"), Rows(file, $"sft.{index}.attention_mask"),
            Rows(file, $"sft.{index}.labels"));
        var rows = ids.Select((row, i) => (Ids: Kept(row, attention[i]), Labels: Kept(labels[i], attention[i]))).ToList();
        return new TokenBatch(
            [.. rows.SelectMany(row => row.Ids.Select(id => (int)id))],
            [.. rows.SelectMany(row => row.Labels.Select(label => label != -100))],
            SequenceLayout.Documents([.. rows.Select(row => row.Ids.Length)]), [.. Enumerable.Range(0, rows.Count).Select(i => (long)i)]);
    }

    /// <summary>Rows 0..P-1 chosen, P..2P-1 rejected, prompts in both: as pairs with shared prompts.</summary>
    private static TokenBatch Pairs(SafetensorsFile file, int index, bool promptLabels = false)
    {
        var (ids, attention, answers) = (Rows(file, $"dpo.{index}.input_ids"), Rows(file, $"dpo.{index}.attention_mask"),
            Rows(file, $"dpo.{index}.completion_mask"));
        var pairs = ids.Length / 2;
        return TokenBatch.Concatenate([.. Enumerable.Range(0, pairs).Select(i => new PreferencePair(
            Part(i, answer: false), Part(i, answer: true), Part(i + pairs, answer: true), i).ToSharedPrefix(promptLabels))]);

        int[] Part(
            int row,
            bool answer) =>
            [
                .. ids[row].Where((_, t) => attention[row][t] == 1 && answers[row][t] == (answer ? 1 : 0)).Select(id => (int)id),
            ];
    }

    private static long[] Kept(long[] row, long[] mask) => [.. row.Where((_, t) => mask[t] == 1)];

    private static long[][] Rows(SafetensorsFile file, string name)
    {
        using var tensor = file.Get(name);
        return [.. tensor.ToArray<long>().Chunk((int)tensor.Size(1))];
    }
}
