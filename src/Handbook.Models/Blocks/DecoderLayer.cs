using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>
/// One layer: attention and a feed-forward block, each normalised in front, behind, or both, and added to the stream. The last addition
/// is left to whoever normalises next, so that the two are one pass over memory: a layer takes and returns the stream and what is still
/// to be added to it.
/// </summary>
public sealed class DecoderLayer
{
    private readonly double dropout;
    private readonly bool isParallel;
    private readonly Norm? beforeAttention;
    private readonly AttentionBlock attention;
    private readonly Norm? afterAttention;
    private readonly Norm? beforeFeedForward;
    private readonly FeedForwardBlock feedForward;
    private readonly Norm? afterFeedForward;

    /// <summary>Takes the weights of a layer from a source.</summary>
    public DecoderLayer(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        var config = model.Layers[layer];
        var prefix = $"{names.Layers}.{layer}.";
        (dropout, isParallel) = (config.ResidualDropout, config.IsParallel);
        attention = new AttentionBlock(source, model, names, layer);
        feedForward = FeedForwardBlock.Create(source, model, names, layer);
        beforeAttention = Norm.Optional(source, prefix + names.Norms.BeforeAttention, model.HiddenSize, config.Norms.BeforeAttention);
        afterAttention = Norm.Optional(source, prefix + names.Norms.AfterAttention, model.HiddenSize, config.Norms.AfterAttention);
        beforeFeedForward = Norm.Optional(source, prefix + names.Norms.BeforeFeedForward, model.HiddenSize, config.Norms.BeforeFeedForward);
        afterFeedForward = Norm.Optional(source, prefix + names.Norms.AfterFeedForward, model.HiddenSize, config.Norms.AfterFeedForward);
    }

    /// <summary>All its weights, in the reference's order.</summary>
    public IEnumerable<WeightSlot> Slots => attention.Slots.Concat(feedForward.Slots).Concat(
        new[] { beforeAttention, afterAttention, beforeFeedForward, afterFeedForward }.OfType<Norm>().SelectMany(norm => norm.Slots));

    /// <summary>Runs the layer.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="context">The pass.</param>
    /// <param name="stream">The residual stream, [tokens, width]; taken over when there is a delta.</param>
    /// <param name="delta">What is still to be added to it, taken over; null for nothing.</param>
    /// <returns>The same two for the next layer, and the router's logits [tokens, experts] where there is one.</returns>
    public (Variable Stream, Variable Delta, Variable? RouterLogits) Forward(
        Tape tape, ForwardContext context, Variable stream, Variable? delta)
    {
        var (entering, normalized) = Enter(tape, stream, delta, beforeAttention);
        if (isParallel)
            return Parallel(tape, context, entering, normalized, ownsStream: delta is not null);
        var attended = Leave(tape, context, attention.Forward(tape, context, normalized), afterAttention);
        var (sum, next) = Enter(tape, entering, attended, beforeFeedForward, ownsStream: delta is not null);
        var (made, router) = feedForward.Forward(tape, context, next);
        return (sum, Leave(tape, context, made, afterFeedForward), router);
    }

    /// <summary>Both blocks over the same input: attention's result joins the stream first, as in the reference.</summary>
    private (Variable Stream, Variable Delta, Variable? RouterLogits) Parallel(
        Tape tape, ForwardContext context, Variable stream, Variable normalized, bool ownsStream)
    {
        var attended = Leave(tape, context, attention.Forward(tape, context, Residual.Pass(tape, normalized)), afterAttention);
        var (made, router) = feedForward.Forward(tape, context, normalized);
        using (attended)
        {
            var sum = Residual.Add(tape, stream, attended);
            if (ownsStream)
                stream.Dispose();
            return (sum, Leave(tape, context, made, afterFeedForward), router);
        }
    }

    /// <summary>The stream with what was still to be added, and what a block sees of it. Takes over the delta,
    /// and with it the stream.</summary>
    private static (Variable Stream, Variable Input) Enter(Tape tape, Variable stream, Variable? delta, Norm? norm, bool ownsStream = true)
    {
        if (delta is null)
            return (stream, norm is null ? Residual.Pass(tape, stream) : norm.Apply(tape, stream));
        Variable sum, input;
        if (norm is null)
        {
            sum = Residual.Add(tape, stream, delta);
            input = Residual.Pass(tape, sum);
        }
        else
        {
            (sum, input) = norm.ApplyWithResidual(tape, stream, delta);
        }
        if (ownsStream)
            stream.Dispose();
        delta.Dispose();
        return (sum, input);
    }

    /// <summary>What a block made, as it joins the stream; takes it over.</summary>
    private Variable Leave(Tape tape, ForwardContext context, Variable made, Norm? norm)
    {
        if (norm is not null)
        {
            using var raw = made;
            made = norm.Apply(tape, raw);
        }
        return context.Drop(tape, made, dropout);
    }
}
