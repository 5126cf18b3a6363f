using Handbook.Torch;

namespace Handbook.Autograd.Elementary;

/// <summary>Functions of one number applied to every element of a small tensor. Any floating-point type, any shape.</summary>
public static class Pointwise
{
    /// <summary>eˣ.</summary>
    public static Variable Exp(this Tape tape, Variable x)
    {
        var y = Call("aten::exp"u8, x.Value);
        return tape.Record(y, [x], [y], (gradient, saved) => x.Accumulate(gradient.Multiply(saved[0])));
    }

    /// <summary>eˣ - 1, exact near 0.</summary>
    public static Variable Expm1(this Tape tape, Variable x) =>
        tape.Record(Call("aten::expm1"u8, x.Value), [x], [x.Value], (gradient, saved) =>
            x.Accumulate(gradient.Multiply(Call("aten::exp"u8, saved[0]))));

    /// <summary>Natural logarithm.</summary>
    public static Variable Log(this Tape tape, Variable x) =>
        tape.Record(Call("aten::log"u8, x.Value), [x], [x.Value], (gradient, saved) => x.Accumulate(gradient.Divide(saved[0])));

    /// <summary>log(1 + x), exact near 0.</summary>
    public static Variable Log1p(this Tape tape, Variable x) =>
        tape.Record(Call("aten::log1p"u8, x.Value), [x], [x.Value], (gradient, saved) =>
            x.Accumulate(gradient.Divide(saved[0].Add(1))));

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public static Variable Sigmoid(this Tape tape, Variable x)
    {
        var y = Call("aten::sigmoid"u8, x.Value);
        return tape.Record(y, [x], [y], (gradient, saved) =>
            x.Accumulate(Operator.Call("aten::sigmoid_backward"u8, default, gradient, saved[0])));
    }

    /// <summary>log sigmoid(x) without overflow or cancellation.</summary>
    public static Variable LogSigmoid(this Tape tape, Variable x) =>
        tape.Record(Call("aten::log_sigmoid"u8, x.Value), [x], [x.Value], (gradient, saved) =>
            x.Accumulate(gradient.Multiply(Call("aten::sigmoid"u8, Call("aten::neg"u8, saved[0])))));

    /// <summary>log(1 + eˣ) without overflow.</summary>
    public static Variable Softplus(this Tape tape, Variable x)
    {
        using var scope = new TensorScope();
        var y = scope.Keep(Call("aten::neg"u8, Call("aten::log_sigmoid"u8, Call("aten::neg"u8, x.Value))));
        return tape.Record(y, [x], [x.Value], (gradient, saved) =>
            x.Accumulate(gradient.Multiply(Call("aten::sigmoid"u8, saved[0]))));
    }

    /// <summary>max(x, 0).</summary>
    public static Variable Relu(this Tape tape, Variable x) => Activation.Apply(tape, x, ActivationKind.Relu);

    /// <summary>|x|; the gradient at 0 is 0.</summary>
    public static Variable Abs(this Tape tape, Variable x) =>
        tape.Record(Call("aten::abs"u8, x.Value), [x], [x.Value], (gradient, saved) =>
            x.Accumulate(gradient.Multiply(Call("aten::sign"u8, saved[0]))));

    /// <summary>x held inside [minimum, maximum]; the gradient passes inside (bounds included) and is 0 outside.</summary>
    public static Variable Clamp(this Tape tape, Variable x, double minimum, double maximum)
    {
        using var low = Tensor.Full([], minimum, x.Value.DType, x.Value.Device);
        using var high = Tensor.Full([], maximum, x.Value.DType, x.Value.Device);
        var y = Operator.Call("aten::clamp"u8, "Tensor"u8, x.Value, Value.Some(low), Value.Some(high));
        return tape.Record(y, [x], [x.Value, y], (gradient, saved) =>
            x.Accumulate(Arithmetic.Choose(Operator.Call("aten::eq"u8, "Tensor"u8, saved[0], saved[1]), gradient, null)));
    }

    /// <summary>Square root.</summary>
    public static Variable Sqrt(this Tape tape, Variable x)
    {
        var y = Call("aten::sqrt"u8, x.Value);
        return tape.Record(y, [x], [y], (gradient, saved) => x.Accumulate(gradient.Divide(saved[0]).Multiply(0.5)));
    }

    /// <summary>x².</summary>
    public static Variable Square(this Tape tape, Variable x) =>
        tape.Record(x.Value.Multiply(x.Value), [x], [x.Value], (gradient, saved) =>
            x.Accumulate(gradient.Multiply(saved[0]).Multiply(2)));

    /// <summary>The same numbers in another element type; the gradient goes back in x's own.</summary>
    public static Variable Cast(this Tape tape, Variable x, DType dtype)
    {
        var own = x.Value.DType;
        return own == dtype ? x : tape.Record(x.Value.To(dtype), [x], [], (gradient, _) => x.Accumulate(gradient.To(own)));
    }

    private static Tensor Call(ReadOnlySpan<byte> name, Tensor x) => Operator.Call(name, default, x);
}
