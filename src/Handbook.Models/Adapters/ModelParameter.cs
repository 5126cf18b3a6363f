using Handbook.Models.Architectures;
using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>
/// A parameter of a model as transformers 5 has it, which PEFT's <c>target_parameters</c> go by: the experts of a mixture are two, however
/// the folder holds them.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Slots">The places that hold it; the rows of several follow one another.</param>
internal sealed record ModelParameter(string Name, IReadOnlyList<WeightSlot> Slots)
{
    /// <summary>The module that it belongs to.</summary>
    internal string Module => Name[..Name.LastIndexOf('.')];

    /// <summary>Sizes of its dimensions here: outputs before inputs.</summary>
    internal int DimensionCount => Slots[0].Weight.Shape.Length;

    /// <summary>All of a model, in transformers' order.</summary>
    internal static IEnumerable<ModelParameter> Of(IPretrainedModel model)
    {
        var experts = ArchitectureTable.Rows[model.Config.ModelType].Names.Experts;
        foreach (var slot in model.Slots)
        {
            if (experts is null || experts.Form is not StoredForm.Stacked)
                yield return new ModelParameter(slot.Name, [slot]);
            else if (Layer(slot, experts.Output + experts.WeightEnd) is { } narrow)
                yield return new ModelParameter(narrow + ExpertNames.Joined.Output, [slot]);
            else if (Layer(slot, experts.Inputs[0] + experts.WeightEnd) is { } layer)
                yield return new ModelParameter(layer + ExpertNames.Joined.Inputs[0], Inputs(model, layer, experts));
            else if (Layer(slot, experts.Router + ".weight") is { } routed)
                yield return new ModelParameter(routed + ExpertNames.Joined.Router + ".weight", [slot]);
            else if (!experts.Inputs.Skip(1).Any(input => Layer(slot, input + experts.WeightEnd) is not null))
                yield return new ModelParameter(slot.Name, [slot]);
        }
    }

    /// <summary>What stands before a name; null when the slot has another.</summary>
    private static string? Layer(WeightSlot slot, string name) =>
        ModulePattern.EndsIn(slot.Name, name) ? slot.Name[..^name.Length] : null;

    private static List<WeightSlot> Inputs(IPretrainedModel model, string layer, ExpertNames experts) =>
        [.. experts.Inputs.Select(input => model.Slots.First(slot => slot.Name == layer + input + experts.WeightEnd))];
}
