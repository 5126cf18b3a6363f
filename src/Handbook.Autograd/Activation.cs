using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>A non-linearity, element by element.</summary>
public static class Activation
{
    /// <summary>Applies it.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="kind">Which one.</param>
    public static Variable Apply(Tape tape, Variable x, ActivationKind kind)
    {
        var value = Elementwise.Applies(x.Value) ? ActivationKernel.Forward(x.Value, kind) : PlainForward(x.Value, kind);
        return tape.Record(value, [x], [x.Value], (gradient, saved) => x.Accumulate(
            Elementwise.Applies(gradient, saved[0])
                ? ActivationKernel.Backward(gradient, saved[0], kind)
                : PlainBackward(gradient, saved[0], kind)));
    }

    /// <summary>The definition, in libtorch's operators.</summary>
    internal static Tensor PlainForward(Tensor x, ActivationKind kind) => kind switch
    {
        ActivationKind.Silu => Operator.Call("aten::silu"u8, default, x),
        ActivationKind.Gelu => Operator.Call("aten::gelu"u8, default, x, "none"),
        ActivationKind.GeluTanh => Operator.Call("aten::gelu"u8, default, x, "tanh"),
        ActivationKind.Relu => Operator.Call("aten::relu"u8, default, x),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Gradient of the definition with respect to x.</summary>
    internal static Tensor PlainBackward(Tensor gradient, Tensor x, ActivationKind kind)
    {
        using var scope = new TensorScope();
        return scope.Keep(kind switch
        {
            ActivationKind.Silu => Operator.Call("aten::silu_backward"u8, default, gradient, x),
            ActivationKind.Gelu => Operator.Call("aten::gelu_backward"u8, default, gradient, x, "none"),
            ActivationKind.GeluTanh => Operator.Call("aten::gelu_backward"u8, default, gradient, x, "tanh"),
            ActivationKind.Relu => gradient.Multiply(Operator.Call("aten::gt"u8, "Tensor"u8, x, Tensor.Scalar(0))),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        });
    }
}
