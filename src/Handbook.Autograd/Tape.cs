using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Records one closure per operation and runs them in reverse. An operation computes its value, then calls one of the
/// <c>Record</c> methods with what its backward pass needs; a tape that does not record (or whose inputs want no gradient)
/// keeps nothing.
/// </summary>
public sealed class Tape : IDisposable
{
    private readonly List<Node> nodes = [];
    private readonly List<GradientSink>? silentUses;

    /// <summary>Makes a tape.</summary>
    /// <param name="isRecording">False for evaluation and generation.</param>
    /// <param name="seed">Seeds the random operations (dropout, NEFTune) of this pass.</param>
    public Tape(bool isRecording = true, ulong seed = 0)
    {
        IsRecording = isRecording;
        Random = new RandomStream(seed);
    }

    /// <summary>A tape for the pass that recomputation forgets: it notes which weights the pass used, and nothing else.</summary>
    private Tape(RandomStream random, List<GradientSink> uses)
    {
        Random = new RandomStream(random.Seed) { Position = random.Position };
        silentUses = uses;
    }

    /// <summary>True when operations are recorded.</summary>
    public bool IsRecording { get; }

    /// <summary>Where random operations draw from; recomputation replays it from the same point.</summary>
    public RandomStream Random { get; }

    /// <summary>True when an operation on these inputs must record its backward pass. Null inputs are skipped.</summary>
    public bool Tracks(params ReadOnlySpan<Variable?> inputs)
    {
        if (!IsRecording)
            return false;
        foreach (var input in inputs)
        {
            if (input is { RequiresGrad: true })
                return true;
        }
        return false;
    }

    /// <summary>True when an operation on these inputs and weights must record its backward pass. Nulls are skipped.</summary>
    public bool Tracks(ReadOnlySpan<Variable?> inputs, params ReadOnlySpan<Weight?> weights)
    {
        if (Tracks(inputs))
            return true;
        if (!IsRecording)
            return false;
        foreach (var weight in weights)
        {
            if (weight is { RequiresGrad: true })
                return true;
        }
        return false;
    }

    /// <summary>Records an operation with one output.</summary>
    /// <param name="value">What the operation computed.</param>
    /// <param name="inputs">What it was computed from; nulls are skipped.</param>
    /// <param name="saved">Tensors that the backward pass needs; the tape holds its own handles on them until it has run.</param>
    /// <param name="backward">Gets the output's gradient and the saved tensors, and accumulates into inputs and weights.</param>
    /// <param name="weights">The weights that it used, which the backward pass leases again; nulls are skipped.</param>
    /// <param name="source">The operation's file: its name in <see cref="OperationTimes"/>.</param>
    public Variable Record(
        Tensor value, ReadOnlySpan<Variable?> inputs, ReadOnlySpan<Tensor> saved, Action<Tensor, Tensor[]> backward,
        ReadOnlySpan<Weight?> weights = default, [CallerFilePath] string source = "")
    {
        OperationTimes.Current?.Mark(OperationOf(source), "forward");
        Note(weights);
        if (!Tracks(inputs, weights))
            return new Variable(value);
        var output = new Variable(value, requiresGrad: true);
        nodes.Add(new Node(
            source, [output], Hold(saved), WeightUses.Of(weights), (outputs, tensors) => backward(outputs[0].Grad!, tensors)));
        return output;
    }

    /// <summary>
    /// Records an operation with several outputs. The backward pass gets one gradient an output, null where none arrived.
    /// </summary>
    public Variable[] Record(
        ReadOnlySpan<Tensor> values, ReadOnlySpan<Variable?> inputs, ReadOnlySpan<Tensor> saved, Action<Tensor?[], Tensor[]> backward,
        ReadOnlySpan<Weight?> weights = default, [CallerFilePath] string source = "")
    {
        OperationTimes.Current?.Mark(OperationOf(source), "forward");
        Note(weights);
        var tracked = Tracks(inputs, weights);
        var outputs = new Variable[values.Length];
        for (var i = 0; i < values.Length; i++)
            outputs[i] = new Variable(values[i], tracked);
        if (tracked)
            nodes.Add(new Node(source, outputs, Hold(saved), WeightUses.Of(weights),
                (results, tensors) => backward(Array.ConvertAll(results, result => result.Grad), tensors)));
        return outputs;
    }

    /// <summary>
    /// Runs the closures in reverse from <paramref name="loss"/>. Gradients of intermediate values are freed as soon as they
    /// have been used; those of leaves stay.
    /// </summary>
    /// <param name="loss">Where to start.</param>
    /// <param name="gradient">Gradient with respect to it; null means ones (of a scalar loss: 1).</param>
    public void Backward(Variable loss, Tensor? gradient = null)
    {
        loss.Accumulate(gradient ?? Tensor.Full(loss.Value.Shape, 1, loss.Value.DType, loss.Value.Device));
        BackwardFromOutputs();
    }

    /// <summary>Frees what a backward pass that never ran would have needed.</summary>
    public void Dispose()
    {
        foreach (var node in nodes)
        {
            node.Uses.Withdraw();
            node.Free();
        }
        nodes.Clear();
    }

    /// <summary>Runs the closures in reverse; gradients stand at the outputs already.</summary>
    private void BackwardFromOutputs()
    {
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            var node = nodes[i];
            nodes.RemoveAt(i);
            using (new TensorScope())
            {
                if (Array.Exists(node.Outputs, output => output.Grad is not null))
                    node.Backward(node.Outputs, node.Saved);
                node.Uses.End();
            }
            node.Free();
            OperationTimes.Current?.Mark(OperationOf(node.Source), "backward");
        }
    }

    /// <summary>
    /// Runs <paramref name="body"/> without keeping its intermediate values, and runs it again in the backward pass
    /// (activation recomputation; Chen et al. 2016, arXiv:1604.06174). The body must depend on <paramref name="input"/> and on
    /// parameters only.
    /// </summary>
    public Variable[] Recompute(Variable input, Func<Tape, Variable, Variable[]> body)
    {
        if (!IsRecording)
            return body(this, input);
        var position = Random.Position;
        var uses = new List<GradientSink>();
        var outputs = Array.ConvertAll(RunSilently(input, body, uses), value => new Variable(value, requiresGrad: true));
        var expected = WeightUses.Of(uses);
        nodes.Add(new Node(nameof(Recompute), outputs, Hold([input.Value]), expected, (results, tensors) =>
        {
            using var tape = new Tape(isRecording: true, Random.Seed);
            tape.Random.Position = position;
            var replayed = new Variable(tensors[0], input.RequiresGrad);
            var again = body(tape, replayed);
            // The operations of the second pass expect contributions of their own now, and say when they have come.
            expected.Withdraw();
            for (var i = 0; i < results.Length; i++)
            {
                if (results[i].Grad is { } gradient)
                    again[i].Accumulate(gradient.Alias());
            }
            tape.BackwardFromOutputs();
            if (replayed.Grad is { } inputGradient)
                input.Accumulate(inputGradient.Alias());
            replayed.ZeroGrad();
        }));
        return outputs;
    }

    private Tensor[] RunSilently(Variable input, Func<Tape, Variable, Variable[]> body, List<GradientSink> uses)
    {
        using var scope = new TensorScope();
        using var silent = new Tape(Random, uses);
        var values = Array.ConvertAll(body(silent, input), output => scope.Keep(output.Value));
        Random.Position = silent.Random.Position;
        return values;
    }

    private void Note(ReadOnlySpan<Weight?> weights)
    {
        if (silentUses is null)
            return;
        foreach (var weight in weights)
            silentUses.AddRange(weight?.Sinks ?? []);
    }

    private static string OperationOf(string source) => Path.GetFileNameWithoutExtension(source).Split('.')[0];

    private static Tensor[] Hold(ReadOnlySpan<Tensor> tensors)
    {
        var copies = new Tensor[tensors.Length];
        for (var i = 0; i < tensors.Length; i++)
            copies[i] = TensorScope.Detach(tensors[i].Alias());
        return copies;
    }

    private sealed record Node(string Source, Variable[] Outputs, Tensor[] Saved, WeightUses Uses, Action<Variable[], Tensor[]> Backward)
    {
        public void Free()
        {
            foreach (var tensor in Saved)
                tensor.Dispose();
            foreach (var output in Outputs)
                output.ZeroGrad();
        }
    }
}
