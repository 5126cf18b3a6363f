using Handbook.Autograd.Elementary;
using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>The operations that losses are written in.</summary>
internal static class ElementaryCases
{
    internal static IEnumerable<OperationCase> All() => [.. Binary(), .. Unary(), .. Reducing(), .. Moving()];

    private static IEnumerable<OperationCase> Binary()
    {
        (string, Func<Random, Tensor[]>)[] variants = [("of one shape", Pair), ("with broadcasting", BroadcastPair)];
        foreach (var (variant, inputs) in variants)
        {
            yield return new(
                typeof(Arithmetic), nameof(Arithmetic.Add), variant, inputs, (tape, x) => [tape.Add(x[0], x[1])], x => [x[0].Add(x[1])]);
            yield return new(typeof(Arithmetic), nameof(Arithmetic.Subtract), variant, inputs, (tape, x) => [tape.Subtract(x[0], x[1])],
                x => [x[0].Subtract(x[1])]);
            yield return new(typeof(Arithmetic), nameof(Arithmetic.Multiply), variant, inputs, (tape, x) => [tape.Multiply(x[0], x[1])],
                x => [x[0].Multiply(x[1])]);
            yield return new(typeof(Arithmetic), nameof(Arithmetic.Divide), variant, r => WithPositiveSecond(inputs(r)),
                (tape, x) => [tape.Divide(x[0], x[1])], x => [x[0].Divide(x[1])]);
            yield return new(typeof(Arithmetic), nameof(Arithmetic.Maximum), variant, inputs, (tape, x) => [tape.Maximum(x[0], x[1])],
                x => [Operator.Call("aten::maximum"u8, default, x[0], x[1])]);
        }
    }

    private static IEnumerable<OperationCase> Unary()
    {
        yield return new(
            typeof(Arithmetic), nameof(Arithmetic.Negate), "", One, (tape, x) => [tape.Negate(x[0])], x => [x[0].Multiply(-1)]);
        yield return new(
            typeof(Arithmetic), nameof(Arithmetic.Scale), "", One, (tape, x) => [tape.Scale(x[0], 0.3)], x => [x[0].Multiply(0.3)]);
        yield return new(
            typeof(Arithmetic), nameof(Arithmetic.AddConstant), "", One, (tape, x) => [tape.AddConstant(x[0], -2)], x => [x[0].Add(-2)]);
        yield return Function(nameof(Pointwise.Exp), (tape, x) => tape.Exp(x), x => Operator.Call("aten::exp"u8, default, x));
        yield return Function(nameof(Pointwise.Expm1), (tape, x) => tape.Expm1(x), x => Operator.Call("aten::expm1"u8, default, x));
        yield return Function(nameof(Pointwise.Sigmoid), (tape, x) => tape.Sigmoid(x), x => Operator.Call("aten::sigmoid"u8, default, x));
        yield return Function(nameof(Pointwise.LogSigmoid), (tape, x) => tape.LogSigmoid(x),
            x => Operator.Call("aten::log_sigmoid"u8, default, x));
        yield return Function(nameof(Pointwise.Softplus), (tape, x) => tape.Softplus(x),
            x => Operator.Call("aten::log1p"u8, default, Operator.Call("aten::exp"u8, default, x)));
        yield return Function(nameof(Pointwise.Relu), (tape, x) => tape.Relu(x), x => Operator.Call("aten::relu"u8, default, x));
        yield return Function(nameof(Pointwise.Abs), (tape, x) => tape.Abs(x), x => Operator.Call("aten::abs"u8, default, x));
        yield return Function(nameof(Pointwise.Square), (tape, x) => tape.Square(x), x => x.Multiply(x));
        yield return Function(nameof(Pointwise.Clamp), (tape, x) => tape.Clamp(x, -0.5, 0.7), x => Operator.Call(
            "aten::clamp"u8, "Tensor"u8, x, Value.Some(Tensor.Scalar(-0.5)), Value.Some(Tensor.Scalar(0.7))));
        yield return Function(nameof(Pointwise.Log), (tape, x) => tape.Log(x), x => Operator.Call("aten::log"u8, default, x),
            positive: true);
        yield return Function(nameof(Pointwise.Log1p), (tape, x) => tape.Log1p(x), x => Operator.Call("aten::log1p"u8, default, x),
            positive: true);
        yield return Function(nameof(Pointwise.Sqrt), (tape, x) => tape.Sqrt(x), x => Operator.Call("aten::sqrt"u8, default, x),
            positive: true);
    }

    private static IEnumerable<OperationCase> Reducing()
    {
        yield return new(typeof(Reductions), nameof(Reductions.Sum), "", One, (tape, x) => [tape.Sum(x[0])], x => [x[0].Sum()]);
        yield return new(typeof(Reductions), nameof(Reductions.Mean), "", One, (tape, x) => [tape.Mean(x[0])], x => [x[0].Mean()]);
        yield return new(typeof(Reductions), nameof(Reductions.SegmentSum), "without weights", r => [Normal(r, 9)],
            (tape, x) => [tape.SegmentSum(x[0], [1, 4, 4, 8])],
            x => [Joined(0, x[0].Narrow(0, 1, 3).Sum(0, true), x[0].Narrow(0, 4, 0).Sum(0, true), x[0].Narrow(0, 4, 4).Sum(0, true))]);
        yield return new(typeof(Reductions), nameof(Reductions.SegmentSum), "with weights", r => [Normal(r, 5)],
            (tape, x) => [tape.SegmentSum(x[0], [0, 2, 5], Mask())],
            x => [Joined(0, x[0].Multiply(Mask()).Narrow(0, 0, 2).Sum(0, true), x[0].Multiply(Mask()).Narrow(0, 2, 3).Sum(0, true))]);
    }

    private static IEnumerable<OperationCase> Moving()
    {
        yield return new(typeof(Indexing), nameof(Indexing.IndexSelect), "", r => [Normal(r, 3, 4)],
            (tape, x) => [tape.IndexSelect(x[0], 1, Tensor.From(new long[] { 3, 0, 3 }))],
            x => [x[0].IndexSelect(1, Tensor.From(new long[] { 3, 0, 3 }))]);
        yield return new(typeof(Indexing), nameof(Indexing.Gather), "", r => [Normal(r, 2, 4)],
            (tape, x) => [tape.Gather(x[0], 1, Columns())], x => [Operator.Call("aten::gather"u8, default, x[0], 1L, Columns(), false)]);
        foreach (var descending in new[] { false, true })
        {
            yield return new(typeof(Indexing), nameof(Indexing.Sort), descending ? "descending" : "ascending", r => [Normal(r, 3, 5)],
                (tape, x) => [tape.Sort(x[0], 1, descending)],
                x => [Operator.Call2("aten::sort"u8, "stable"u8, x[0], Value.Some(true), 1L, descending).First]);
        }
        yield return new(typeof(Indexing), nameof(Indexing.Concat), "", r => [Normal(r, 2, 3), Normal(r, 2, 1), Normal(r, 2, 2)],
            (tape, x) => [tape.Concat(x, 1)], x => [Joined(1, x)]);
        yield return new(typeof(Indexing), nameof(Indexing.Slice), "", r => [Normal(r, 2, 6)], (tape, x) => [tape.Slice(x[0], 1, 2, 3)],
            x => [x[0].Narrow(1, 2, 3)]);
        yield return new(typeof(Indexing), nameof(Indexing.Reshape), "", r => [Normal(r, 2, 6)], (tape, x) => [tape.Reshape(x[0], 3, 4)],
            x => [x[0].Reshape(3, 4)]);
        yield return new(typeof(Indexing), nameof(Indexing.BroadcastTo), "of a scalar", r => [Normal(r)],
            (tape, x) => [tape.BroadcastTo(x[0], 2, 3)], x => [Operator.Call("aten::expand"u8, default, x[0], new long[] { 2, 3 }, false)]);
        yield return new(typeof(Indexing), nameof(Indexing.BroadcastTo), "of a column", r => [Normal(r, 2, 1)],
            (tape, x) => [tape.BroadcastTo(x[0], 2, 3)], x => [Operator.Call("aten::expand"u8, default, x[0], new long[] { 2, 3 }, false)]);
    }

    private static OperationCase Function(string method, Func<Tape, Variable, Variable> ours, Func<Tensor, Tensor> reference,
        bool positive = false) =>
        new(typeof(Pointwise), method, "", positive ? r => [AwayFromZero(One(r)[0])] : One, (tape, x) => [ours(tape, x[0])],
            x => [reference(x[0])]);

    private static Tensor[] One(Random random) => [Normal(random, random.Next(1, 5), random.Next(1, 9))];

    private static Tensor[] Pair(Random random)
    {
        var (rows, width) = (random.Next(1, 5), random.Next(1, 5));
        return [Normal(random, rows, width), Normal(random, rows, width)];
    }

    private static Tensor[] BroadcastPair(Random random)
    {
        var width = random.Next(2, 5);
        return [Normal(random, 3, 1, width), Normal(random, 2, width)];
    }

    private static Tensor[] WithPositiveSecond(Tensor[] pair) => [pair[0], AwayFromZero(pair[1])];

    private static Tensor AwayFromZero(Tensor x) => Operator.Call("aten::abs"u8, default, x).Add(0.5);

    private static Tensor Joined(long dim, params Tensor[] parts) => Operator.Call("aten::cat"u8, default, parts, dim);

    private static Tensor Mask() => Tensor.From(new[] { 1.0, 0, 0.5, 1, -2 });

    private static Tensor Columns() => Tensor.From<long>([0, 2, 2, 3, 1, 1], [2, 3]);
}
