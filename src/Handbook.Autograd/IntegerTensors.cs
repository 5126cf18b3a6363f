using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Arithmetic on 64-bit integers, modulo 2^64, where the tensors are: what random numbers and stochastic rounding are made of. Numbers
/// stand beside tensors as constants.
/// </summary>
internal static class IntegerTensors
{
    /// <summary>start, start + step, start + 2 step, ... [count].</summary>
    internal static Tensor Progression(long start, long step, long count, Device device)
    {
        using var scope = new TensorScope();
        var first = Tensor.From(new[] { start }, device);
        var rest = Operator.Call("aten::expand"u8, default, Tensor.From(new[] { step }, device), new[] { count - 1 }, false);
        return scope.Keep(
            Operator.Call("aten::cumsum"u8, default, Operator.Call("aten::cat"u8, default, new[] { first, rest }, 0L), 0L, Value.None));
    }

    /// <summary>a · number.</summary>
    internal static Tensor Times(this Tensor a, long number) => With(a, number, "aten::mul"u8);

    /// <summary>a and number, bit by bit.</summary>
    internal static Tensor And(this Tensor a, long number) => With(a, number, "aten::bitwise_and"u8);

    /// <summary>a exclusive-or b, bit by bit.</summary>
    internal static Tensor Xor(this Tensor a, Tensor b) => Operator.Call("aten::bitwise_xor"u8, "Tensor"u8, a, b);

    /// <summary>a exclusive-or number, bit by bit.</summary>
    internal static Tensor Xor(this Tensor a, long number) => With(a, number, "aten::bitwise_xor"u8);

    /// <summary>a shifted right, zeros coming in from the left.</summary>
    internal static Tensor ShiftedRight(this Tensor a, int bits)
    {
        using var scope = new TensorScope();
        return scope.Keep(With(a, bits, "aten::bitwise_right_shift"u8).And((1L << (64 - bits)) - 1));
    }

    /// <summary>a + b; the stable ABI's addition takes a floating-point factor, which integers refuse.</summary>
    internal static Tensor Plus(this Tensor a, Tensor b)
    {
        using var scope = new TensorScope();
        return scope.Keep(Operator.Call("aten::stack"u8, default, new[] { a, b }, 0L).Sum(0));
    }

    private static Tensor With(Tensor a, long number, ReadOnlySpan<byte> operation)
    {
        using var constant = Tensor.From<long>([number], []);
        return Operator.Call(operation, "Tensor"u8, a, constant);
    }
}
