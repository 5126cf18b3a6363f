using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// The gated product of gpt-oss (arXiv:2508.10925): gate · sigmoid(alpha · gate) · (up + 1), where gate is at most limit and up lies
/// within ±limit. Computed in float32 (float64 beside float64 data) and rounded once.
/// </summary>
public static class ClampedGate
{
    /// <summary>Multiplies.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="gate">[N, width].</param>
    /// <param name="up">[N, width].</param>
    /// <param name="alpha">Steepness of the gate.</param>
    /// <param name="limit">Above 0.</param>
    /// <returns>[N, width].</returns>
    public static Variable Apply(Tape tape, Variable gate, Variable up, double alpha, double limit)
    {
        var value = Elementwise.Applies(gate.Value, up.Value)
            ? ClampedGateKernel.Forward(gate.Value, up.Value, alpha, limit)
            : PlainForward(gate.Value, up.Value, alpha, limit);
        return tape.Record(value, [gate, up], [gate.Value, up.Value], (gradient, saved) =>
        {
            var (forGate, forUp) = Elementwise.Applies(gradient, saved[0], saved[1])
                ? ClampedGateKernel.Backward(gradient, saved[0], saved[1], alpha, limit)
                : PlainBackward(gradient, saved[0], saved[1], alpha, limit);
            gate.Accumulate(forGate);
            up.Accumulate(forUp);
        });
    }

    /// <summary>The definition, in libtorch's operators.</summary>
    internal static Tensor PlainForward(Tensor gate, Tensor up, double alpha, double limit)
    {
        using var scope = new TensorScope();
        var (g, u) = Clamped(gate, up, limit);
        return scope.Keep(g.Multiply(Sigmoid(g, alpha)).Multiply(u.Add(1)).To(gate.DType));
    }

    /// <summary>Gradients of the definition with respect to gate and up; where one is clamped it has none.</summary>
    internal static (Tensor Gate, Tensor Up) PlainBackward(Tensor gradient, Tensor gate, Tensor up, double alpha, double limit)
    {
        using var scope = new TensorScope();
        var (g, u) = Clamped(gate, up, limit);
        var odds = Sigmoid(g, alpha);
        var wide = gradient.To(g.DType);
        // d(g s)/dg = s + alpha g s (1 - s).
        var slope = odds.Add(g.Multiply(odds).Multiply(odds.Multiply(-1).Add(1)).Multiply(alpha));
        var forGate = wide.Multiply(u.Add(1)).Multiply(slope).Multiply(Within(gate, limit));
        var forUp = wide.Multiply(g).Multiply(odds).Multiply(Within(Operator.Call("aten::abs"u8, default, up), limit));
        return (scope.Keep(forGate.To(gate.DType)), scope.Keep(forUp.To(up.DType)));
    }

    private static (Tensor Gate, Tensor Up) Clamped(Tensor gate, Tensor up, double limit)
    {
        var wide = Shapes.SumType(gate);
        var most = Tensor.Full([], limit, wide, gate.Device);
        var least = Tensor.Full([], -limit, wide, gate.Device);
        return (Least(gate.To(wide), most), Operator.Call("aten::maximum"u8, default, Least(up.To(wide), most), least));
    }

    private static Tensor Least(Tensor x, Tensor most) => Operator.Call("aten::minimum"u8, default, x, most);

    private static Tensor Sigmoid(Tensor x, double alpha) => Operator.Call("aten::sigmoid"u8, default, x.Multiply(alpha));

    /// <summary>1 where x is at most the limit, 0 elsewhere.</summary>
    private static Tensor Within(Tensor x, double limit) =>
        Operator.Call("aten::le"u8, "Tensor"u8, x, Tensor.Full([], limit, x.DType, x.Device)).To(Shapes.SumType(x));
}
