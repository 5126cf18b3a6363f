using Handbook.Training.Artefacts;

namespace Handbook.Training.Loop;

/// <summary>How a run ended.</summary>
/// <param name="State">The state after the last step.</param>
/// <param name="MeanLoss">Mean of the steps' losses since this process began.</param>
/// <param name="Seconds">Seconds that this process trained.</param>
/// <param name="Steps">Steps that this process did.</param>
/// <param name="Stopped">True when it was asked to stop before the end; it has saved.</param>
public sealed record LoopOutcome(TrainerState State, double MeanLoss, double Seconds, int Steps, bool Stopped);
