using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>Embedding, layers and final norm: everything of a model but its head.</summary>
public sealed class Decoder : IDisposable
{
    private readonly ModelConfig config;
    private readonly TokenEmbedding embedding;
    private readonly DecoderLayer[] layers;
    private readonly Norm finalNorm;

    /// <summary>Takes the weights from a source.</summary>
    public Decoder(WeightSource source, ModelConfig config, WeightNames names)
    {
        this.config = config;
        embedding = new TokenEmbedding(source, config, names);
        layers = new DecoderLayer[config.LayerCount];
        for (var i = 0; i < layers.Length; i++)
            layers[i] = new DecoderLayer(source, config, names, i);
        finalNorm = new Norm(source, names.FinalNorm, config.HiddenSize, config.Norm);
        Rotary = new RotaryTables(config.Rotary, source.Device);
    }

    /// <summary>The table of token vectors.</summary>
    public TokenEmbedding Embedding => embedding;

    /// <summary>The layers.</summary>
    public IReadOnlyList<DecoderLayer> Layers => layers;

    /// <summary>Angles of positions.</summary>
    public RotaryTables Rotary { get; }

    /// <summary>All weights in the reference's order.</summary>
    public IEnumerable<Parameter> Parameters =>
        layers.SelectMany(layer => layer.Parameters).Prepend(embedding.Weight).Append(finalNorm.Weight);

    /// <summary>Runs over a packed row.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">Token ids, [tokens].</param>
    /// <param name="layout">Where sequences begin and end, and what they see.</param>
    /// <param name="options">How to run.</param>
    /// <returns>Hidden states after the final norm, [tokens, width].</returns>
    public Variable Forward(Tape tape, ReadOnlySpan<int> ids, SequenceLayout layout, ForwardOptions options)
    {
        if (ids.Length != layout.Length)
            throw new ArgumentException($"{ids.Length} tokens for a layout of {layout.Length}.", nameof(ids));
        if (tape.IsRecording && config.Attention.Dropout > 0 && !options.DisableDropout)
            throw new UserErrorException($"config.json: attention_dropout is {config.Attention.Dropout}; dropping attention weights is not supported in training. Set it to 0.");
        var looked = embedding.Forward(tape, ids);
        var stream = EmbeddingNoise.Apply(tape, looked, layout, tape.IsRecording ? options.NeftuneAlpha : 0);
        if (!ReferenceEquals(looked, stream))
            looked.Dispose();
        options.Observe?.Invoke(stream.Value);
        return options.Recompute && tape.IsRecording
            ? RunRecomputed(tape, layout, stream, options)
            : RunWith(tape, new PackedContext(Rotary, layout), stream, options);
    }

    /// <summary>Runs over tokens whose surroundings somebody else keeps: the pass of generation.</summary>
    internal Variable Forward(Tape tape, ReadOnlySpan<int> ids, ForwardContext context) =>
        RunWith(tape, context, embedding.Forward(tape, ids), ForwardOptions.Default);

    /// <summary>Frees weights and tables.</summary>
    public void Dispose()
    {
        foreach (var parameter in Parameters)
        {
            parameter.ClearGrad();
            parameter.Dispose();
        }
        Rotary.Dispose();
    }

    private Variable RunWith(Tape tape, ForwardContext context, Variable stream, ForwardOptions options)
    {
        using var owned = context;
        Variable? delta = null;
        foreach (var layer in layers)
        {
            var entering = stream;
            (stream, delta) = layer.Forward(tape, context, stream, delta);
            entering.Dispose();
            if (options.Observe is { } observe)
            {
                using var sum = stream.Value.Add(delta.Value);
                observe(sum);
            }
        }
        using var last = stream;
        if (delta is null)
            return finalNorm.Apply(tape, stream);
        using var lastDelta = delta;
        var (total, hidden) = finalNorm.ApplyWithResidual(tape, stream, delta);
        total.Dispose();
        options.Observe?.Invoke(hidden.Value);
        return hidden;
    }

    private Variable RunRecomputed(Tape tape, SequenceLayout layout, Variable stream, ForwardOptions options)
    {
        foreach (var layer in layers)
        {
            using var entering = stream;
            stream = tape.Recompute(entering, (inner, input) =>
            {
                using var context = new PackedContext(Rotary, layout);
                var (sum, delta) = layer.Forward(inner, context, input, null);
                using (sum)
                using (delta)
                    return Residual.Add(inner, sum, delta);
            });
            options.Observe?.Invoke(stream.Value);
        }
        using var last = stream;
        var hidden = finalNorm.Apply(tape, stream);
        options.Observe?.Invoke(hidden.Value);
        return hidden;
    }
}
