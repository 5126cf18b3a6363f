using System.Globalization;
using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>What a person wants to see once, before the first step, and again in card and report.</summary>
public static class RunFacts
{
    /// <summary>Facts about model, data and schedule.</summary>
    public static IReadOnlyList<(string Name, string Value)> Of(
        RunOptions options, RunModel model, TokenStore data, BatchSchedule batches, int totalSteps) =>
    [
        .. Model(options, model),
        ("device", RunDevice.Of(options.Model).ToString()),
        ("numbers", RunPrecision.Words(options.Model)),
        .. OfData(data),
        ("batch", string.Create(CultureInfo.InvariantCulture,
            $"{Quantity.Of(options.Optimization.PerDeviceBatchSize, "row")} x "
                + $"{Quantity.Of(options.Optimization.GradientAccumulation, "micro-batch", "micro-batches")}")),
        ("steps", Invariant($"{totalSteps} ({batches.StepsPerEpoch} an epoch)")),
        ("profile", options.Profile.RecipeName()),
        ("threads", Invariant($"{ParallelWork.ThreadCount} of {Environment.ProcessorCount}")),
    ];

    /// <summary>Facts about an evaluation that follows no training.</summary>
    public static IReadOnlyList<(string Name, string Value)> OfEvaluation(RunOptions options, RunModel model, TokenStore data) =>
    [
        .. Model(options, model),
        ("device", RunDevice.Of(options.Model).ToString()),
        ("numbers", RunPrecision.Words(options.Model)),
        .. OfData(data).Where(fact => fact.Name == "evaluation data"),
        ("profile", options.Profile.RecipeName()),
    ];

    /// <summary>Facts about the prepared data.</summary>
    public static IReadOnlyList<(string Name, string Value)> OfData(TokenStore data)
    {
        var train = data.Train.Summary;
        var facts = new List<(string, string)>
        {
            ("training data", data.Kind == StoreKind.Sequences
                ? string.Create(CultureInfo.InvariantCulture,
                    $"{Quantity.Of(train.ExampleCount, "example")} in {Quantity.Of(train.RowCount, "row")} of at most {train.MaxLength} "
                        + $"tokens, {train.Efficiency:P1} full")
                : string.Create(CultureInfo.InvariantCulture,
                    $"{Quantity.Of(train.ExampleCount, "example")}, prompt and answer of at most {train.MaxLength} tokens, "
                        + $"{(double)train.TokenCount / Math.Max(1, train.RowCount):0} tokens each on average")),
            ("label tokens",
                string.Create(CultureInfo.InvariantCulture,
                    $"{train.LossTokenCount} of {train.TokenCount} ({(double)train.LossTokenCount / Math.Max(1, train.TokenCount):P1})")),
        };
        if (data.Evaluation is { } held)
            facts.Add(("evaluation data",
                Invariant($"{Quantity.Of(held.ExampleCount, "example")} in {Quantity.Of(held.RowCount, "row")}")));
        if (train.Emptied > 0)
            facts.Add(("examples with nothing left", Invariant($"{train.Emptied} left out: empty, or an answer would be cut to none")));
        if (train.Truncated + train.Dropped + train.Split > 0)
            facts.Add(("long examples",
                string.Create(CultureInfo.InvariantCulture,
                    $"{train.Truncated} truncated, {train.Split} split, {train.Dropped} "
                        + $"dropped; {Quantity.Of(train.LostTokens, "token")} lost")));
        if (train.WithoutLabel > 0)
            facts.Add(("without a label",
                string.Create(CultureInfo.InvariantCulture,
                    $"{Quantity.Of(train.WithoutLabel, "example teaches", "examples teach")} nothing, such as "
                        + $"{string.Join(", ", train.WithoutLabelExamples.Take(3))}")));
        if (data.Manifest.BadRows > 0)
            facts.Add(("bad rows", Invariant($"{data.Manifest.BadRows} skipped")));
        return facts;
    }

    private static IEnumerable<(string Name, string Value)> Model(RunOptions options, RunModel run)
    {
        yield return ("model", $"{options.Model.NameOrPath ?? "new"}, {ProgressText.Count(run.Model.ParameterCount)} parameters");
        if (run.Adapter is { } adapter)
            yield return ("adapter", string.Create(CultureInfo.InvariantCulture,
                $"rank {adapter.Config.Rank}, alpha {adapter.Config.Alpha}, "
                    + $"{ProgressText.Count(adapter.Parameters.Sum(one => one.Value.ElementCount))} "
                    + $"trained parameters in {Quantity.Of(adapter.WeightCount, "weight")}"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
