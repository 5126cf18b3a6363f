using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;
using Handbook.Training.Objectives;

namespace Handbook.Training.Tests.Objectives;

/// <summary>A policy whose hidden states are given logits and whose head is the identity, so that gradients reach the logits.</summary>
/// <param name="logits">Logits of every token of the batch, [tokens, vocabulary].</param>
/// <param name="router">A mixture of experts' own loss, or null.</param>
internal sealed class LogitsPolicy(Tensor logits, RouterAuxLoss? router = null) : IPolicy
{
    /// <summary>The logits; the objective's gradient ends here.</summary>
    internal Variable Logits { get; } = new(logits, requiresGrad: true);

    public HiddenStates Forward(Tape tape, TokenBatch batch) =>
        new(Logits, HeadOf(Operator.Call("aten::diag"u8, default, Tensor.Full([Logits.Value.Size(1)], 1, Logits.Value.DType), 0L)))
        {
            Router = router,
        };

    /// <summary>A head that does not learn.</summary>
    internal static LanguageHead HeadOf(Tensor weight) => new(new HeadConfig(IsTied: false), new WeightSlot("head", new Variable(weight)));
}
