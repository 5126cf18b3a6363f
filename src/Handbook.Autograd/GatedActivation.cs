using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// The gated linear unit's product act(gate) · up (Shazeer 2020, arXiv:2002.05202): SwiGLU with
/// <see cref="ActivationKind.Silu"/>, GeGLU with a GELU. The fused kernels compute in float32 and round once.
/// </summary>
public static class GatedActivation
{
    /// <summary>Multiplies.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="gate">[N, width], goes through the activation.</param>
    /// <param name="up">[N, width].</param>
    /// <param name="kind">The activation.</param>
    /// <returns>[N, width].</returns>
    public static Variable Apply(Tape tape, Variable gate, Variable up, ActivationKind kind)
    {
        var value = Elementwise.Applies(gate.Value, up.Value)
            ? GatedActivationKernel.Forward(gate.Value, up.Value, kind)
            : PlainForward(gate.Value, up.Value, kind);
        return tape.Record(value, [gate, up], [gate.Value, up.Value], (gradient, saved) =>
        {
            var (gateGradient, upGradient) = Elementwise.Applies(gradient, saved[0], saved[1])
                ? GatedActivationKernel.Backward(gradient, saved[0], saved[1], kind)
                : PlainBackward(gradient, saved[0], saved[1], kind);
            gate.Accumulate(gateGradient);
            up.Accumulate(upGradient);
        });
    }

    /// <summary>The definition, in libtorch's operators.</summary>
    internal static Tensor PlainForward(Tensor gate, Tensor up, ActivationKind kind)
    {
        using var scope = new TensorScope();
        return scope.Keep(Activation.PlainForward(gate, kind).Multiply(up));
    }

    /// <summary>Gradients of the definition with respect to gate and up.</summary>
    internal static (Tensor Gate, Tensor Up) PlainBackward(Tensor gradient, Tensor gate, Tensor up, ActivationKind kind)
    {
        using var scope = new TensorScope();
        var gateGradient = Activation.PlainBackward(gradient.Multiply(up), gate, kind);
        var upGradient = gradient.Multiply(Activation.PlainForward(gate, kind));
        return (scope.Keep(gateGradient), scope.Keep(upGradient));
    }
}
