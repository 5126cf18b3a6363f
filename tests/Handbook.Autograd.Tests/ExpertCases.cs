using Handbook.Autograd.Elementary;
using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>What a mixture of experts is made of, each written a second time without sorting or grouping.</summary>
internal static class ExpertCases
{
    private const int Experts = 4;

    internal static IEnumerable<OperationCase> All()
    {
        foreach (var normalize in new[] { true, false })
        {
            yield return new(typeof(Routing), nameof(Routing.Choose), normalize ? "with weights that sum to 1" : "", Logits,
                (tape, x) => [Routing.Choose(tape, x[0], 2, normalize).Weights], x => [Chosen(x[0], normalize)]);
        }
        yield return new(typeof(Routing), nameof(Routing.AuxLoss), "of two layers", r => [Normal(r, 5, Experts), Normal(r, 5, Experts)],
            (tape, x) => [Routing.AuxLoss(tape, x, 2)], x => [Balance(x)]);
        // The third expert has no row.
        yield return new(typeof(GroupedLinear), nameof(GroupedLinear.Apply), "", r => [Normal(r, 6, 3), Normal(r, Experts, 5, 3)],
            (tape, x) => [GroupedLinear.Apply(tape, x[0], Sorted(), x[1])],
            x => [Joined(x)]);
        foreach (var dropout in new[] { 0, 0.4 })
        {
            yield return new(typeof(GroupedLinear), nameof(GroupedLinear.Apply), $"with low-rank deltas and dropout {dropout}",
                r => [Normal(r, 6, 3), Normal(r, Experts, 5, 3), Normal(r, Experts, 2, 3), Normal(r, Experts, 5, 2)],
                (tape, x) => [GroupedLinear.Apply(
                    tape, x[0], Sorted(), new LowRankWeight(x[1], x[2], x[3], 0.5, new AdapterSwitch(), dropout), drops: true)],
                dropout > 0 ? null : x => [Joined([x[0], x[1].Add(x[3].MatMul(x[2]).Multiply(0.5))])]);
        }
        yield return new(typeof(ClampedGate), nameof(ClampedGate.Apply), "", r => [Normal(r, 5, 4), Normal(r, 5, 4)],
            (tape, x) => [ClampedGate.Apply(tape, x[0], x[1], 1.7, 0.6)], x => [Clamped(x[0], x[1])]);
        yield return new(typeof(Indexing), nameof(Indexing.SumRows), "", r => [Normal(r, 5, 3)],
            (tape, x) => [tape.SumRows(x[0], Tensor.From(new long[] { 2, 0, 2, 2, 0 }), 4)],
            x => [Tensor.From<double>([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0], [4, 5]).MatMul(x[0])]);
    }

    private static ExpertRows Sorted() => new(Tensor.From<long>([0, 1, 3, 3, 0, 3], [3, 2]), Experts);

    private static Tensor Joined(Tensor[] x) =>
        Operator.Call("aten::cat"u8, default, new[] { Product(x, 0, 0, 2), Product(x, 1, 2, 1), Product(x, 3, 3, 3) }, 0L);

    private static Tensor[] Logits(Random random) => [Normal(random, random.Next(1, 7), Experts)];

    private static Tensor Product(Tensor[] x, int expert, int start, int count) =>
        x[0].Narrow(0, start, count).MatMul(x[1].Select(0, expert).Transpose(0, 1));

    private static Tensor Clamped(Tensor gate, Tensor up)
    {
        Tensor most = Tensor.Full([], 0.6, DType.Float64), least = Tensor.Full([], -0.6, DType.Float64);
        var g = Operator.Call("aten::minimum"u8, default, gate, most);
        var u = Operator.Call("aten::maximum"u8, default, Operator.Call("aten::minimum"u8, default, up, most), least);
        return g.Multiply(Operator.Call("aten::sigmoid"u8, default, g.Multiply(1.7))).Multiply(u.Add(1));
    }

    private static Tensor Chosen(Tensor logits, bool normalize)
    {
        var probabilities = Operator.Call("aten::_softmax"u8, default, logits, -1L, false);
        var (best, _) = Operator.Call2("aten::topk"u8, default, probabilities, 2L, -1L, true, true);
        return normalize ? best.Divide(best.Sum(-1, keepDim: true)) : best;
    }

    private static Tensor Balance(Tensor[] layers)
    {
        var probabilities = Operator.Call("aten::_softmax"u8, default, Operator.Call("aten::cat"u8, default, layers, 0L), -1L, false);
        var numbers = probabilities.ToArray<double>();
        var shares = new double[Experts];
        for (var token = 0; token < probabilities.Size(0); token++)
        {
            foreach (var expert in Enumerable.Range(0, Experts).OrderByDescending(expert => numbers[token * Experts + expert]).Take(2))
                shares[expert] += 1.0 / probabilities.Size(0);
        }
        return probabilities.Sum(0).Multiply(1.0 / probabilities.Size(0)).Multiply(Tensor.From(shares)).Sum().Multiply(Experts);
    }
}
