using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>Self-attention: project, turn by position, attend, project back.</summary>
public sealed class AttentionBlock
{
    private readonly AttentionConfig config;
    private readonly int layer;
    private readonly Projection query;
    private readonly Projection key;
    private readonly Projection value;
    private readonly Projection output;

    /// <summary>Takes the weights of a layer from a source.</summary>
    public AttentionBlock(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        this.layer = layer;
        config = model.Attention;
        var prefix = $"{names.Layers}.{layer}.";
        var queryWidth = (long)config.HeadCount * config.HeadDim;
        var keyWidth = (long)config.KeyValueHeadCount * config.HeadDim;
        query = new Projection(source, prefix + names.Attention.Query, queryWidth, model.HiddenSize, config.QueryKeyValueBias);
        key = new Projection(source, prefix + names.Attention.Key, keyWidth, model.HiddenSize, config.QueryKeyValueBias);
        value = new Projection(source, prefix + names.Attention.Value, keyWidth, model.HiddenSize, config.QueryKeyValueBias);
        output = new Projection(source, prefix + names.Attention.Output, model.HiddenSize, queryWidth, config.OutputBias);
    }

    /// <summary>Its linear layers.</summary>
    public IEnumerable<Projection> Projections => [query, key, value, output];

    /// <summary>[tokens, width] to [tokens, width]; takes the input over.</summary>
    public Variable Forward(Tape tape, ForwardContext context, Variable input)
    {
        using var attended = Attend(tape, context, input);
        using var joined = Heads.Join(tape, attended);
        return output.Apply(tape, context, joined);
    }

    private Variable Attend(Tape tape, ForwardContext context, Variable input)
    {
        var projected = Projection.ApplyMany(tape, context, input, query, key, value);
        input.Dispose();
        using var queries = projected[0];
        using var keys = projected[1];
        using var values = projected[2];
        using var queryHeads = Heads.Split(tape, queries, config.HeadCount);
        using var keyHeads = Heads.Split(tape, keys, config.KeyValueHeadCount);
        using var valueHeads = Heads.Split(tape, values, config.KeyValueHeadCount);
        using var turnedQuery = RotaryEmbedding.Apply(tape, queryHeads, context.Cos, context.Sin);
        using var turnedKey = RotaryEmbedding.Apply(tape, keyHeads, context.Cos, context.Sin);
        queries.Dispose();
        queryHeads.Dispose();
        keys.Dispose();
        keyHeads.Dispose();
        return context.Attend(tape, layer, turnedQuery, turnedKey, valueHeads, config.Scale);
    }
}
