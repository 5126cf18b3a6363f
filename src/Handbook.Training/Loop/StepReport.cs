using System.Globalization;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Progress;

namespace Handbook.Training.Loop;

/// <summary>Tells of a loop's steps: to whoever watches, to the log, and at the end in sum. Nothing trained depends on it.</summary>
/// <param name="parts">The log, the clock and the number of steps.</param>
/// <param name="progress">Who watches.</param>
internal sealed class StepReport(LoopParts parts, ITrainingProgress progress)
{
    private static readonly Dictionary<string, string> Words = new()
    {
        [MetricNames.RewardAccuracy] = "acc",
        [MetricNames.RewardMargin] = "margin",
        [MetricNames.Accuracy] = "acc",
        [MetricNames.Margin] = "margin",
    };

    private readonly long start = parts.Clock.GetTimestamp();
    private readonly StepClock pace = new(parts.Clock);
    private readonly MetricSums sinceLogged = new();
    private double lossSum;
    private int steps;

    /// <summary>Tells of a step.</summary>
    /// <param name="state">The state after it.</param>
    /// <param name="outcome">What it did.</param>
    /// <param name="isLogged">Whether the means since the last logged step are written down.</param>
    /// <returns>The state with what was written down.</returns>
    internal TrainerState Step(TrainerState state, StepOutcome outcome, bool isLogged)
    {
        pace.Tick(outcome.TokenCount);
        lossSum += outcome.Loss;
        steps++;
        sinceLogged.Add(MetricNames.Loss, outcome.Loss, 1);
        sinceLogged.Add(outcome.Metrics);
        Show(state, outcome, isLogged);
        if (outcome.IsSkipped)
            progress.Note(string.Create(CultureInfo.InvariantCulture,
                $"step {state.GlobalStep}: a gradient is beyond fp16, so nothing moved; the loss scale is {outcome.LossScale} now"));
        if (!isLogged)
            return state;
        var means = sinceLogged.Means().ToList();
        sinceLogged.Clear();
        means.Insert(1, (MetricNames.GradientNorm, outcome.GradientNorm));
        means.Insert(2, (MetricNames.LearningRate, outcome.LearningRate));
        if (outcome.LossScale is { } scale)
            means.Insert(3, (MetricNames.LossScale, scale));
        means.Add((MetricNames.TokenCount, state.NumInputTokensSeen));
        return Append(state, MetricsRow.Of(state.GlobalStep, state.Epoch, [.. means]));
    }

    /// <summary>Tells of an evaluation; the state with it.</summary>
    internal TrainerState Evaluation(TrainerState state, MetricsRow row)
    {
        progress.Note(
            $"evaluation after step {state.GlobalStep}: eval_loss {ProgressText.Number(row[MetricNames.EvaluationLoss] ?? double.NaN)}");
        return Append(state, row);
    }

    /// <summary>All that belongs to a step is over: what came behind its update is not the pace of training.</summary>
    internal void EndStep() => pace.Skip();

    /// <summary>How the loop ended.</summary>
    internal LoopOutcome Outcome(TrainerState state, bool stopped) => new(
        state, steps == 0 ? 0 : lossSum / steps, parts.Clock.GetElapsedTime(start).TotalSeconds, steps, stopped);

    private void Show(TrainerState state, StepOutcome outcome, bool isLogged) => progress.Step(new StepProgress
    {
        Step = state.GlobalStep,
        TotalSteps = parts.TotalSteps,
        Epoch = state.Epoch ?? 0,
        Loss = outcome.Loss,
        GradientNorm = outcome.GradientNorm,
        LearningRate = outcome.LearningRate,
        TokensPerSecond = pace.TokensPerSecond,
        Remaining = pace.Remaining(parts.TotalSteps - state.GlobalStep),
        Watched =
        [
            .. outcome.Metrics.Means().Where(metric => Words.ContainsKey(metric.Name))
                .Select(metric => (Words[metric.Name], metric.Value)),
        ],
        IsLogged = isLogged,
    });

    private TrainerState Append(TrainerState state, MetricsRow row)
    {
        parts.Log.Write(row);
        return state with { LogHistory = state.LogHistory.Add(row) };
    }
}
