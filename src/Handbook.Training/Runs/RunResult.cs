using Handbook.Training.Artefacts;

namespace Handbook.Training.Runs;

/// <summary>What a finished (or stopped) run leaves its caller with.</summary>
/// <param name="State">The state after the last step.</param>
/// <param name="Stopped">True when it was asked to stop before its end; it saved a checkpoint first.</param>
/// <param name="FinalEvaluation">Metrics of the evaluation at the end; null when there was none.</param>
public sealed record RunResult(TrainerState State, bool Stopped, MetricsRow? FinalEvaluation);
