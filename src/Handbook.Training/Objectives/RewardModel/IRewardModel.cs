using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Models;

namespace Handbook.Training.Objectives.RewardModel;

/// <summary>A reward model as objectives see it: sequences in, a score out at some of their tokens.</summary>
public interface IRewardModel
{
    /// <summary>Runs the model over a packed batch.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="rows">For each score the token it is read at: a completion's last.</param>
    /// <returns>[rows].</returns>
    Variable Score(Tape tape, TokenBatch batch, ReadOnlySpan<int> rows);
}

/// <summary>A sequence classifier with one label as a scorer.</summary>
/// <param name="model">The model.</param>
/// <param name="options">Recomputation, dropout.</param>
public sealed class ClassifierRewardModel(SequenceClassifier model, ForwardOptions options) : IRewardModel
{
    /// <inheritdoc/>
    public Variable Score(Tape tape, TokenBatch batch, ReadOnlySpan<int> rows)
    {
        var scores = model.Forward(tape, batch.TokenIds, batch.Layout, rows, tape.IsRecording ? options : ForwardOptions.Default);
        return tape.Reshape(scores, rows.Length);
    }
}
