using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>Embedding, layers and final norm: everything of a model but its head.</summary>
public sealed class Decoder : IDisposable
{
    private readonly ModelConfig config;
    private readonly DecoderLayer[] layers;
    private readonly Norm finalNorm;

    /// <summary>Takes the weights from a source.</summary>
    public Decoder(WeightSource source, ModelConfig config, WeightNames names)
    {
        this.config = config;
        Embedding = new TokenEmbedding(source, config, names);
        layers = new DecoderLayer[config.Layers.Count];
        for (var i = 0; i < layers.Length; i++)
            layers[i] = new DecoderLayer(source, config, names, i);
        finalNorm = new Norm(source, names.FinalNorm, config.HiddenSize, config.FinalNorm);
        Rotary = new RotarySet(config, source.Device);
    }

    /// <summary>The table of token vectors.</summary>
    public TokenEmbedding Embedding { get; }

    /// <summary>The layers.</summary>
    public IReadOnlyList<DecoderLayer> Layers => layers;

    /// <summary>Angles of positions.</summary>
    public RotarySet Rotary { get; }

    /// <summary>All weights in the reference's order.</summary>
    public IEnumerable<WeightSlot> Slots => Embedding.Slots.Concat(layers.SelectMany(layer => layer.Slots)).Concat(finalNorm.Slots);

    /// <summary>Runs over a packed row.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">Token ids, [tokens].</param>
    /// <param name="layout">Where sequences begin and end, and what they see.</param>
    /// <param name="options">How to run.</param>
    public DecoderOutput Forward(Tape tape, ReadOnlySpan<int> ids, SequenceLayout layout, ForwardOptions options)
    {
        if (ids.Length != layout.Length)
            throw new ArgumentException($"{ids.Length} tokens for a layout of {layout.Length}.", nameof(ids));
        var context = new PackedContext(Rotary, layout) { Drops = tape.IsRecording && !options.DisableDropout };
        var looked = Embedding.Forward(tape, ids, context.Positions);
        var stream = NeftuneNoise.Apply(tape, looked, layout, tape.IsRecording ? options.NeftuneAlpha : 0);
        if (!ReferenceEquals(looked, stream))
            looked.Dispose();
        return RunWith(tape, context, context.Drop(tape, stream, config.Embedding.Dropout), layout, options);
    }

    /// <summary>Runs over tokens whose surroundings somebody else keeps: the pass of generation.</summary>
    internal DecoderOutput Forward(Tape tape, ReadOnlySpan<int> ids, ForwardContext context) =>
        RunWith(tape, context, Embedding.Forward(tape, ids, context.Positions), null, ForwardOptions.Default);

    /// <summary>Frees the tables of positions; the weights belong to the model.</summary>
    public void Dispose() => Rotary.Dispose();

    private DecoderOutput RunWith(Tape tape, ForwardContext context, Variable stream, SequenceLayout? layout, ForwardOptions options)
    {
        using var owned = context;
        options.Observe?.Invoke(stream.Value);
        var routers = new List<Variable>();
        Variable? delta = null;
        foreach (var layer in layers)
        {
            var entering = stream;
            (stream, delta, var router) = options.Recompute && tape.IsRecording
                ? Recomputed(tape, context, layer, layout!, stream)
                : layer.Forward(tape, context, stream, delta);
            entering.Dispose();
            if (router is not null)
                routers.Add(router);
            Observe(options, stream, delta);
        }
        return new DecoderOutput(Finish(tape, stream, delta, options), routers);
    }

    private Variable Finish(Tape tape, Variable stream, Variable? delta, ForwardOptions options)
    {
        using var last = stream;
        Variable hidden;
        if (delta is null)
        {
            hidden = finalNorm.Apply(tape, stream);
        }
        else
        {
            using var lastDelta = delta;
            (var total, hidden) = finalNorm.ApplyWithResidual(tape, stream, delta);
            total.Dispose();
        }
        options.Observe?.Invoke(hidden.Value);
        return hidden;
    }

    private static void Observe(ForwardOptions options, Variable stream, Variable? delta)
    {
        if (options.Observe is not { } observe)
            return;
        using var sum = delta is null ? stream.Value.Alias() : stream.Value.Add(delta.Value);
        observe(sum);
    }

    // Nothing is left to be added: the sum is made where the layer is run again.
    private (Variable Stream, Variable? Delta, Variable? RouterLogits) Recomputed(
        Tape tape, ForwardContext context, DecoderLayer layer, SequenceLayout layout, Variable stream)
    {
        var outputs = tape.Recompute(stream, (inner, input) =>
        {
            using var again = new PackedContext(Rotary, layout) { Drops = context.Drops };
            var (sum, delta, router) = layer.Forward(inner, again, input, null);
            using (sum)
            using (delta)
            {
                var whole = Residual.Add(inner, sum, delta);
                return router is null ? [whole] : [whole, router];
            }
        });
        return (outputs[0], null, outputs.Length > 1 ? outputs[1] : null);
    }
}
