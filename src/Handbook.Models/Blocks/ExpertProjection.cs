using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>
/// A linear layer of every expert: weights [experts, outputs, inputs] and, with some architectures, biases [experts, outputs].
/// </summary>
internal sealed class ExpertProjection
{
    private readonly WeightSlot weight;
    private readonly WeightSlot? bias;

    internal ExpertProjection(
        WeightSource source, ExpertNames names, string name, long experts, long outputs, long inputs, bool hasBias)
    {
        weight = source.Slot(
            name + names.WeightEnd, [experts, outputs, inputs], Initialization.Normal, names.Form, WeightRole.Experts);
        bias = hasBias ? source.Slot(name + names.BiasEnd, [experts, outputs], Initialization.Zeros) : null;
    }

    internal IEnumerable<WeightSlot> Slots => bias is null ? [weight] : [weight, bias];

    /// <summary>Rows sorted by expert, each times its expert's matrix and with its bias, [rows, outputs].</summary>
    internal Variable Apply(Tape tape, ForwardContext context, Variable rows, ExpertRows experts)
    {
        var products = context.ProjectGrouped(tape, rows, experts, weight.Weight);
        if (bias is null)
            return products;
        using (products)
        {
            using var offsets = Embedding.Apply(tape, experts.Experts, bias.Weight);
            return Residual.Add(tape, products, offsets);
        }
    }
}
