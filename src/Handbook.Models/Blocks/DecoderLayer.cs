using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>
/// One layer: normalise, attend, add; normalise, feed forward, add. The last addition is left to whoever normalises next, so
/// that the two are one pass over memory: a layer takes and returns the stream and what is still to be added to it.
/// </summary>
public sealed class DecoderLayer
{
    private readonly Norm attentionNorm;
    private readonly AttentionBlock attention;
    private readonly Norm feedForwardNorm;
    private readonly FeedForwardBlock feedForward;

    /// <summary>Takes the weights of a layer from a source.</summary>
    public DecoderLayer(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        var prefix = $"{names.Layers}.{layer}.";
        attention = new AttentionBlock(source, model, names, layer);
        feedForward = new FeedForwardBlock(source, model, names, layer);
        attentionNorm = new Norm(source, prefix + names.AttentionNorm, model.HiddenSize, model.Norm);
        feedForwardNorm = new Norm(source, prefix + names.FeedForwardNorm, model.HiddenSize, model.Norm);
    }

    /// <summary>Its linear layers.</summary>
    public IEnumerable<Projection> Projections => attention.Projections.Concat(feedForward.Projections);

    /// <summary>All its weights, in the reference's order.</summary>
    public IEnumerable<Parameter> Parameters =>
        Projections.SelectMany(layer => layer.Parameters).Append(attentionNorm.Weight).Append(feedForwardNorm.Weight);

    /// <summary>Runs the layer.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="context">The pass.</param>
    /// <param name="stream">The residual stream, [tokens, width]; taken over when there is a delta.</param>
    /// <param name="delta">What is still to be added to it, taken over; null for nothing.</param>
    /// <returns>The same two for the next layer.</returns>
    public (Variable Stream, Variable Delta) Forward(Tape tape, ForwardContext context, Variable stream, Variable? delta)
    {
        Variable normalized;
        var entering = stream;
        if (delta is null)
        {
            normalized = attentionNorm.Apply(tape, stream);
        }
        else
        {
            (entering, normalized) = attentionNorm.ApplyWithResidual(tape, stream, delta);
            stream.Dispose();
            delta.Dispose();
        }
        using var attended = attention.Forward(tape, context, normalized);
        var (sum, normalizedSum) = feedForwardNorm.ApplyWithResidual(tape, entering, attended);
        if (delta is not null)
            entering.Dispose();
        attended.Dispose();
        return (sum, feedForward.Forward(tape, context, normalizedSum));
    }
}
