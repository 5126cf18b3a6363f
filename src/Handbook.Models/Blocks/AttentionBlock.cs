using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>Self-attention: project, normalise, turn by position, attend, project back.</summary>
public sealed class AttentionBlock
{
    private readonly AttentionConfig config;
    private readonly int layer;
    private readonly long[] widths;
    private readonly Projection[] inputs;
    private readonly Norm? queryNorm;
    private readonly Norm? keyNorm;
    private readonly Projection output;
    private readonly WeightSlot? sinks;

    /// <summary>Takes the weights of a layer from a source.</summary>
    public AttentionBlock(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        this.layer = layer;
        config = model.Layers[layer].Attention;
        var prefix = $"{names.Layers}.{layer}.";
        var queryWidth = (long)config.HeadCount * config.HeadDim;
        var keyWidth = (long)config.KeyValueHeadCount * config.HeadDim;
        widths = [queryWidth, keyWidth, keyWidth];
        inputs = Projection.Many(
            source, prefix, names.QueryKeyValue, widths, model.HiddenSize, config.QueryKeyValueBias, names.Projections);
        output = new Projection(source, prefix + names.AttentionOutput, model.HiddenSize, queryWidth, config.OutputBias, names.Projections);
        sinks = config.HasSinks ? source.Slot(prefix + names.Sinks, [config.HeadCount], Initialization.Normal) : null;
        if (config.QueryKeyNorm is not { } norm)
            return;
        queryNorm = new Norm(source, prefix + names.QueryKeyNorms.Query, norm.IsPerHead ? config.HeadDim : queryWidth, norm.Norm);
        keyNorm = new Norm(source, prefix + names.QueryKeyNorms.Key, norm.IsPerHead ? config.HeadDim : keyWidth, norm.Norm);
    }

    /// <summary>All its weights, in the reference's order.</summary>
    public IEnumerable<WeightSlot> Slots =>
        inputs.Append(output).SelectMany(layer => layer.Slots)
            .Concat(new[] { queryNorm, keyNorm }.OfType<Norm>().SelectMany(norm => norm.Slots)).Concat(sinks is null ? [] : [sinks]);

    /// <summary>[tokens, width] to [tokens, width]; takes the input over.</summary>
    public Variable Forward(Tape tape, ForwardContext context, Variable input)
    {
        using var attended = Attend(tape, context, input);
        using var joined = Heads.Join(tape, attended);
        return output.Apply(tape, context, joined);
    }

    private Variable Attend(Tape tape, ForwardContext context, Variable input)
    {
        var projected = Projection.ApplyMany(tape, context, input, inputs, widths);
        input.Dispose();
        using var query = Turned(tape, context, projected[0], config.HeadCount, queryNorm);
        using var key = Turned(tape, context, projected[1], config.KeyValueHeadCount, keyNorm);
        using var values = projected[2];
        using var value = Heads.Split(tape, values, config.KeyValueHeadCount);
        return context.Attend(tape, layer, query, key, value, config, sinks?.Weight);
    }

    /// <summary>Queries or keys as heads, normalised and turned where the configuration says so; takes them over.</summary>
    private Variable Turned(Tape tape, ForwardContext context, Variable features, int heads, Norm? norm)
    {
        var tokens = features.Value.Size(0);
        if (norm is not null && config.QueryKeyNorm is { IsPerHead: true })
            features = Replace(features, Heads.View(tape, features, tokens * heads, config.HeadDim));
        if (norm is not null)
            features = Replace(features, norm.Apply(tape, features));
        features = Replace(features, Heads.View(tape, features, tokens, heads, config.HeadDim));
        if (config.Rotary is not { } rotary)
            return features;
        if (rotary.TurnsNeighbours)
            features = Replace(features, Heads.NeighboursApart(tape, features));
        var (cos, sin) = context.Angles(rotary);
        return Replace(features, RotaryEmbedding.Apply(tape, features, cos, sin));
    }

    private static Variable Replace(Variable old, Variable next)
    {
        old.Dispose();
        return next;
    }
}
