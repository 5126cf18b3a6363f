using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>What a decoder makes of a row of tokens.</summary>
/// <param name="Hidden">Hidden states after the final norm, [tokens, width].</param>
/// <param name="RouterLogits">For each layer that routes, the router's logits [tokens, experts].</param>
public sealed record DecoderOutput(Variable Hidden, IReadOnlyList<Variable> RouterLogits) : IDisposable
{
    /// <summary>The hidden states' data.</summary>
    public Tensor Value => Hidden.Value;

    /// <summary>Lets go of the values.</summary>
    public void Dispose()
    {
        Hidden.Dispose();
        foreach (var logits in RouterLogits)
            logits.Dispose();
    }
}
