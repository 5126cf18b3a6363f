using Handbook.Torch;

namespace Handbook.Autograd.Elementary;

/// <summary>
/// Sums, differences, products and quotients with broadcasting, for losses on small tensors: <c>tape.Subtract(chosen,
/// rejected)</c>. Any floating-point type; a gradient is summed over the dimensions its operand was stretched along.
/// </summary>
public static class Arithmetic
{
    /// <summary>a + b.</summary>
    public static Variable Add(this Tape tape, Variable a, Variable b) =>
        tape.Record(a.Value.Add(b.Value), [a, b], [], (gradient, _) =>
        {
            a.Accumulate(Shapes.ReduceTo(gradient, a.Value));
            b.Accumulate(Shapes.ReduceTo(gradient, b.Value));
        });

    /// <summary>a - b.</summary>
    public static Variable Subtract(this Tape tape, Variable a, Variable b) =>
        tape.Record(a.Value.Subtract(b.Value), [a, b], [], (gradient, _) =>
        {
            a.Accumulate(Shapes.ReduceTo(gradient, a.Value));
            b.Accumulate(Shapes.ReduceTo(gradient.Multiply(-1), b.Value));
        });

    /// <summary>a · b.</summary>
    public static Variable Multiply(this Tape tape, Variable a, Variable b) =>
        tape.Record(a.Value.Multiply(b.Value), [a, b], [a.Value, b.Value], (gradient, saved) =>
        {
            if (a.RequiresGrad)
                a.Accumulate(Shapes.ReduceTo(gradient.Multiply(saved[1]), saved[0]));
            if (b.RequiresGrad)
                b.Accumulate(Shapes.ReduceTo(gradient.Multiply(saved[0]), saved[1]));
        });

    /// <summary>a / b.</summary>
    public static Variable Divide(this Tape tape, Variable a, Variable b) =>
        tape.Record(a.Value.Divide(b.Value), [a, b], [a.Value, b.Value], (gradient, saved) =>
        {
            var scaled = gradient.Divide(saved[1]);
            if (a.RequiresGrad)
                a.Accumulate(Shapes.ReduceTo(scaled, saved[0]));
            if (b.RequiresGrad)
                b.Accumulate(Shapes.ReduceTo(scaled.Multiply(saved[0].Divide(saved[1])).Multiply(-1), saved[1]));
        });

    /// <summary>The larger of a and b; where they are equal each takes half of the gradient, as in PyTorch.</summary>
    public static Variable Maximum(this Tape tape, Variable a, Variable b) =>
        tape.Record(Operator.Call("aten::maximum"u8, default, a.Value, b.Value), [a, b], [a.Value, b.Value], (gradient, saved) =>
        {
            var half = gradient.Multiply(0.5);
            var tie = Operator.Call("aten::eq"u8, "Tensor"u8, saved[0], saved[1]);
            var first = Operator.Call("aten::gt"u8, "Tensor"u8, saved[0], saved[1]);
            var second = Operator.Call("aten::lt"u8, "Tensor"u8, saved[0], saved[1]);
            a.Accumulate(Shapes.ReduceTo(Choose(tie, half, Choose(first, gradient, null)), saved[0]));
            b.Accumulate(Shapes.ReduceTo(Choose(tie, half, Choose(second, gradient, null)), saved[1]));
        });

    /// <summary>-x.</summary>
    public static Variable Negate(this Tape tape, Variable x) => tape.Scale(x, -1);

    /// <summary>x times a number.</summary>
    public static Variable Scale(this Tape tape, Variable x, double number) =>
        tape.Record(x.Value.Multiply(number), [x], [], (gradient, _) => x.Accumulate(gradient.Multiply(number)));

    /// <summary>x plus a number.</summary>
    public static Variable AddConstant(this Tape tape, Variable x, double number) =>
        tape.Record(x.Value.Add(number), [x], [], (gradient, _) => x.Accumulate(gradient.Alias()));

    /// <summary>Where the condition holds the one, elsewhere the other; null stands for zeros.</summary>
    internal static Tensor Choose(Tensor condition, Tensor yes, Tensor? no) =>
        Operator.Call("aten::where"u8, "self"u8, condition, yes, no ?? Tensor.Zeros([], yes.DType, yes.Device));
}
