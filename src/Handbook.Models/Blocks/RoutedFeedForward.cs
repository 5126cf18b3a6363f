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
    private readonly Projection router;
    private readonly WeightSlot gate;
    private readonly WeightSlot up;
    private readonly WeightSlot down;

    internal RoutedFeedForward(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        config = model.Layers[layer].FeedForward;
        routing = config.Routing!;
        var prefix = $"{names.Layers}.{layer}.";
        router = new Projection(source, prefix + names.Router, routing.ExpertCount, model.HiddenSize, hasBias: false);
        gate = Experts(names.FeedForwardInputs[0], config.Width, model.HiddenSize);
        up = Experts(names.FeedForwardInputs[1], config.Width, model.HiddenSize);
        down = Experts(names.FeedForwardOutput, model.HiddenSize, config.Width);
        WeightSlot Experts(string name, long outputs, long inputs) => source.Slot(
            prefix + name + ".weight", [routing.ExpertCount, outputs, inputs], Initialization.Normal, StoredForm.Stacked.Instance,
            WeightRole.Experts);
    }

    public override IEnumerable<WeightSlot> Slots => [.. router.Slots, gate, down, up];

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
        using var narrow = context.ProjectGrouped(tape, active, experts, down.Weight);
        return (Collect(tape, narrow, shares, experts), logits);
    }

    private Variable Widen(Tape tape, ForwardContext context, ExpertRows experts, Variable rows)
    {
        using var gates = context.ProjectGrouped(tape, rows, experts, gate.Weight);
        using var ups = context.ProjectGrouped(tape, rows, experts, up.Weight);
        return GatedActivation.Apply(tape, gates, ups, config.Activation);
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
