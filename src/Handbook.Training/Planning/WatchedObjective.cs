using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;

namespace Handbook.Training.Planning;

/// <summary>An objective whose forward passes somebody watches.</summary>
/// <param name="inner">The objective.</param>
/// <param name="begins">Hears that the loss of a micro-batch is about to be computed.</param>
/// <param name="ends">Hears that it has been.</param>
internal sealed class WatchedObjective(IObjective inner, Action begins, Action ends) : IObjective
{
    /// <inheritdoc/>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        var step = inner.Begin(microBatches, totals);
        return new ObjectiveStep((tape, batch) =>
        {
            begins();
            var result = step.Compute(tape, batch);
            ends();
            return result;
        }, step);
    }

    /// <inheritdoc/>
    public double LossWeight(StepTotals totals) => inner.LossWeight(totals);

    /// <inheritdoc/>
    public void Stepped(int done) => inner.Stepped(done);

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() => inner.State();

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find) => inner.Load(find);
}
