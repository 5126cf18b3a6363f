using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>
/// A mixture of experts (arXiv:2401.04088): a router chooses some gated blocks for each token, whose results are added with the router's
/// weights. No token is dropped.
/// </summary>
internal sealed class RoutedFeedForward : FeedForwardBlock
{
    private readonly FeedForwardConfig config;
    private readonly RoutingConfig routing;
    private readonly bool alternate;
    private readonly Projection router;
    private readonly ExpertProjection[] inputs;
    private readonly ExpertProjection output;

    internal RoutedFeedForward(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        config = model.Layers[layer].FeedForward;
        routing = config.Routing!;
        var (prefix, experts) = ($"{names.Layers}.{layer}.", names.Experts!);
        alternate = experts.Alternate;
        router = new Projection(source, prefix + experts.Router, routing.ExpertCount, model.HiddenSize, config.HasBias);
        var widened = experts.Inputs.Count == 1 ? 2 * config.Width : config.Width;
        inputs = [.. experts.Inputs.Select(name => Of(name, widened, model.HiddenSize))];
        output = Of(experts.Output, model.HiddenSize, config.Width);
        ExpertProjection Of(string name, long outputs, long columns) =>
            new(source, experts, prefix + name, routing.ExpertCount, outputs, columns, config.HasBias);
    }

    public override IEnumerable<WeightSlot> Slots =>
        [.. router.Slots, .. inputs[0].Slots, .. output.Slots, .. inputs[1..].SelectMany(part => part.Slots)];

    public override (Variable Output, Variable? RouterLogits) Forward(Tape tape, ForwardContext context, Variable input)
    {
        var logits = router.Apply(tape, context, input);
        var (weights, choice) = Routing.Choose(tape, logits, routing.ExpertsPerToken, routing.NormalizesWeights);
        using var shares = weights;
        using var chosen = choice;
        using var experts = new ExpertRows(choice, routing.ExpertCount);
        using var rows = Embedding.Apply(tape, experts.Tokens, input);
        input.Dispose();
        using var active = Widen(tape, context, experts, rows);
        using var narrow = output.Apply(tape, context, active, experts);
        return (Collect(tape, narrow, shares, experts), logits);
    }

    private Variable Widen(Tape tape, ForwardContext context, ExpertRows experts, Variable rows)
    {
        var (gates, ups) = GateAndUp(tape, context, experts, rows);
        using (gates)
        using (ups)
        {
            return config.Clamp is { } clamp
                ? ClampedGate.Apply(tape, gates, ups, clamp.Alpha, clamp.Limit)
                : GatedActivation.Apply(tape, gates, ups, config.Activation);
        }
    }

    private (Variable Gate, Variable Up) GateAndUp(Tape tape, ForwardContext context, ExpertRows experts, Variable rows)
    {
        if (inputs.Length == 2)
            return (inputs[0].Apply(tape, context, rows, experts), inputs[1].Apply(tape, context, rows, experts));
        using var both = inputs[0].Apply(tape, context, rows, experts);
        var parts = alternate ? Columns.Unmix(tape, both) : Columns.Split(tape, both, [config.Width, config.Width]);
        return (parts[0], parts[1]);
    }

    /// <summary>Each expert's row times its share, added up by token.</summary>
    private static Variable Collect(Tape tape, Variable rows, Variable shares, ExpertRows experts)
    {
        using var flat = tape.Reshape(shares, -1, 1);
        using var sorted = tape.IndexSelect(flat, 0, experts.Order);
        using var weighted = tape.Multiply(rows, sorted);
        return tape.SumRows(weighted, experts.Tokens, experts.TokenCount);
    }
}
