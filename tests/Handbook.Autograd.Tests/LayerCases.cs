using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>The layers of a model, apart from attention and the head.</summary>
internal static class LayerCases
{
    private const double Epsilon = 1e-5;

    internal static IEnumerable<OperationCase> All()
    {
        yield return new(typeof(Linear), nameof(Linear.Apply), "without bias", r => Projection(r, 1, false),
            (tape, x) => [Linear.Apply(tape, x[0], x[1])], x => [Project(x[0], x[1], null)]);
        yield return new(typeof(Linear), nameof(Linear.Apply), "with bias", r => Projection(r, 1, true),
            (tape, x) => [Linear.Apply(tape, x[0], x[1], x[2])], x => [Project(x[0], x[1], x[2])]);
        yield return new(typeof(Linear), nameof(Linear.ApplyMany), "without biases", r => Projection(r, 3, false),
            (tape, x) => Linear.ApplyMany(tape, x[0], [x[1], x[2], x[3]]),
            x => [Project(x[0], x[1], null), Project(x[0], x[2], null), Project(x[0], x[3], null)]);
        yield return new(typeof(Linear), nameof(Linear.ApplyMany), "with biases", r => Projection(r, 2, true),
            (tape, x) => Linear.ApplyMany(tape, x[0], [x[1], x[2]], [x[3], x[4]]),
            x => [Project(x[0], x[1], x[3]), Project(x[0], x[2], x[4])]);
        yield return new(typeof(Linear), nameof(Linear.Apply), "with a low-rank delta",
            r => [Normal(r, 5, 4), Normal(r, 6, 4), Normal(r, 2, 4), Normal(r, 6, 2)],
            (tape, x) => [Linear.Apply(tape, x[0], Adapted(x))], x => [Project(x[0], Merged(x), null)]);
        yield return new(typeof(Linear), nameof(Linear.ApplyMany), "with low-rank deltas and dropout",
            r => [Normal(r, 5, 4), Normal(r, 6, 4), Normal(r, 2, 4), Normal(r, 6, 2)],
            (tape, x) => Linear.ApplyMany(tape, x[0], [Adapted(x, 0.4), Adapted(x, 0.2)], [], drops: true), null);
        yield return new(typeof(Elementary.Reading), nameof(Elementary.Reading.Read), "with a low-rank delta",
            r => [Normal(r, 6, 4), Normal(r, 6, 4), Normal(r, 2, 4), Normal(r, 6, 2)],
            (tape, x) => [Elementary.Arithmetic.Add(tape, x[0], Elementary.Reading.Read(tape, Adapted(x)))], x => [x[0].Add(Merged(x))]);
        yield return new(typeof(Embedding), nameof(Embedding.Apply), "with a low-rank delta",
            r => [Tensor.From(new long[] { 3, 0, 3, 5, 1 }), Normal(r, 6, 4), Normal(r, 2, 4), Normal(r, 6, 2)],
            (tape, x) => [Embedding.Apply(tape, x[0].Value, Adapted(x))], x => [Merged(x).IndexSelect(0, x[0])]);
        yield return new(typeof(Elementary.Reading), nameof(Elementary.Reading.Read), "", r => Rows(r, 1, 0),
            (tape, x) => [Elementary.Reading.Read(tape, x[0])], x => [x[0]]);
        yield return new(typeof(Embedding), nameof(Embedding.Apply), "", Lookup,
            (tape, x) => [Embedding.Apply(tape, x[0].Value, x[1])], x => [x[1].IndexSelect(0, x[0])]);
        yield return new(typeof(RmsNorm), nameof(RmsNorm.Apply), "", r => Rows(r, 1, 1),
            (tape, x) => [RmsNorm.Apply(tape, x[0], x[1], Epsilon)], x => [RootMeanSquare(x[0], x[1])]);
        yield return new(typeof(RmsNorm), nameof(RmsNorm.ApplyWithResidual), "", r => Rows(r, 2, 1),
            (tape, x) => Both(RmsNorm.ApplyWithResidual(tape, x[0], x[1], x[2], Epsilon)),
            x => [x[0].Add(x[1]), RootMeanSquare(x[0].Add(x[1]), x[2])]);
        yield return new(typeof(RmsNorm), nameof(RmsNorm.Apply), "with an offset", r => Rows(r, 1, 1),
            (tape, x) => [RmsNorm.Apply(tape, x[0], x[1], Epsilon, isOffset: true)], x => [RootMeanSquare(x[0], x[1].Add(1))]);
        yield return new(typeof(RmsNorm), nameof(RmsNorm.ApplyWithResidual), "with an offset", r => Rows(r, 2, 1),
            (tape, x) => Both(RmsNorm.ApplyWithResidual(tape, x[0], x[1], x[2], Epsilon, isOffset: true)),
            x => [x[0].Add(x[1]), RootMeanSquare(x[0].Add(x[1]), x[2].Add(1))]);
        yield return new(typeof(LayerNorm), nameof(LayerNorm.Apply), "with bias", r => Rows(r, 1, 2),
            (tape, x) => [LayerNorm.Apply(tape, x[0], x[1], x[2], Epsilon)], x => [Normalized(x[0], x[1], x[2])]);
        yield return new(typeof(LayerNorm), nameof(LayerNorm.Apply), "without bias", r => Rows(r, 1, 1),
            (tape, x) => [LayerNorm.Apply(tape, x[0], x[1], null, Epsilon)], x => [Normalized(x[0], x[1], null)]);
        yield return new(typeof(Residual), nameof(Residual.Add), "", r => Rows(r, 2, 0),
            (tape, x) => [Residual.Add(tape, x[0], x[1])], x => [x[0].Add(x[1])]);
        yield return new(
            typeof(Residual), nameof(Residual.Pass), "", r => Rows(r, 1, 0), (tape, x) => [Residual.Pass(tape, x[0])], x => [x[0]]);
        yield return new(typeof(Dropout), nameof(Dropout.Apply), "", r => Rows(r, 1, 0),
            (tape, x) => [Dropout.Apply(tape, x[0], 0.4)], null);
        yield return new(typeof(NeftuneNoise), nameof(NeftuneNoise.Apply), "", r => Rows(r, 1, 0),
            (tape, x) => [NeftuneNoise.Apply(tape, x[0], SequenceLayout.Documents([(int)x[0].Value.Size(0)]), 5)], null);
        foreach (var kind in Enum.GetValues<ActivationKind>())
        {
            yield return new(typeof(Activation), nameof(Activation.Apply), kind.ToString(), r => Rows(r, 1, 0),
                (tape, x) => [Activation.Apply(tape, x[0], kind)], x => [Activation.PlainForward(x[0], kind)]);
            yield return new(typeof(GatedActivation), nameof(GatedActivation.Apply), kind.ToString(), r => Rows(r, 2, 0),
                (tape, x) => [GatedActivation.Apply(tape, x[0], x[1], kind)], x => [Activation.PlainForward(x[0], kind).Multiply(x[1])]);
        }
    }

    private static LowRankWeight Adapted(Variable[] x, double dropout = 0) => new(x[1], x[2], x[3], 0.5, new AdapterSwitch(), dropout);

    private static Tensor Merged(Tensor[] x) => x[1].Add(x[3].MatMul(x[2]).Multiply(0.5));

    internal static Variable[] Both((Variable First, Variable Second) pair) => [pair.First, pair.Second];

    private static Tensor[] Projection(Random random, int count, bool bias)
    {
        var (rows, width) = (random.Next(1, 7), random.Next(1, 6));
        var outputs = Enumerable.Range(0, count).Select(_ => (long)random.Next(1, 6)).ToArray();
        var inputs = new List<Tensor> { Normal(random, rows, width) };
        inputs.AddRange(outputs.Select(size => Normal(random, size, width)));
        if (bias)
            inputs.AddRange(outputs.Select(size => Normal(random, size)));
        return [.. inputs];
    }

    private static Tensor[] Rows(Random random, int matrices, int vectors)
    {
        var (rows, width) = (random.Next(1, 6), random.Next(2, 24));
        var inputs = new List<Tensor>();
        for (var i = 0; i < matrices; i++)
            inputs.Add(Normal(random, rows, width));
        for (var i = 0; i < vectors; i++)
            inputs.Add(Normal(random, width));
        return [.. inputs];
    }

    private static Tensor[] Lookup(Random random)
    {
        var vocabulary = random.Next(2, 6);
        var ids = Enumerable.Range(0, random.Next(1, 9)).Select(_ => (long)random.Next(vocabulary)).ToArray();
        return [Tensor.From(ids), Normal(random, vocabulary, random.Next(1, 5))];
    }

    private static Tensor Project(Tensor x, Tensor weight, Tensor? bias) =>
        Operator.Call("aten::linear"u8, default, x, weight, Value.Optional(bias));

    private static Tensor RootMeanSquare(Tensor x, Tensor weight)
    {
        var meanSquare = x.Multiply(x).Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1));
        return x.Multiply(Operator.Call("aten::rsqrt"u8, default, meanSquare.Add(Epsilon))).Multiply(weight);
    }

    private static Tensor Normalized(Tensor x, Tensor weight, Tensor? bias) =>
        Operator.Call("aten::layer_norm"u8, default, x, new[] { x.Size(-1) }, Value.Some(weight), Value.Optional(bias), Epsilon, false);
}
