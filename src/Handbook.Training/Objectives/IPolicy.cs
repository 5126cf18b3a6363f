using Handbook.Autograd;
using Handbook.Data.Packing;

namespace Handbook.Training.Objectives;

/// <summary>What the head needs to turn tokens into log-probabilities.</summary>
/// <param name="Hidden">Hidden states, [tokens, width].</param>
/// <param name="Weight">Weight of the head, [vocabulary, width].</param>
/// <param name="Bias">Bias of the head, [vocabulary], or null.</param>
/// <param name="Options">Scale and cap of the logits.</param>
public sealed record HiddenStates(Variable Hidden, Variable Weight, Variable? Bias = null, HeadOptions? Options = null);

/// <summary>A language model as objectives see it: tokens in, hidden states out.</summary>
public interface IPolicy
{
    /// <summary>Runs the model over a packed batch.</summary>
    HiddenStates Forward(Tape tape, TokenBatch batch);
}
