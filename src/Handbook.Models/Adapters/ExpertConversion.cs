using System.Text.RegularExpressions;
using Handbook.Models.Architectures;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>
/// An adapter with a pair for each matrix of each expert, as transformers 4 has them, around a model whose folder joins the experts: one
/// pair for each parameter with the ranks of all of its matrices, as PEFT converts it since 0.19.
/// </summary>
/// <param name="Config">The settings with parameters in place of the experts' modules.</param>
/// <param name="Modules">For each parameter the modules that it is read from.</param>
internal sealed record ExpertConversion(LoraConfig Config, IReadOnlyDictionary<string, IReadOnlyList<string>> Modules)
{
    /// <summary>The settings as they are, or converted where the file has pairs of modules that the model joins.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="weights">The adapter's tensors.</param>
    /// <param name="origin">Where the settings stand, for messages.</param>
    /// <exception cref="UserErrorException">Matrices of one parameter are not all adapted, or not alike.</exception>
    internal static ExpertConversion Of(IPretrainedModel model, LoraConfig config, SafetensorsFolder weights, string origin)
    {
        var found = new Dictionary<string, IReadOnlyList<string>>();
        if (ArchitectureTable.Rows[model.Config.ModelType].Names.Experts is { Form: StoredForm.Stacked } apart)
        {
            foreach (var slot in model.Slots.Where(slot => slot.Role == WeightRole.Experts))
            {
                var (joined, parts) = ModulePattern.EndsIn(slot.Name, ExpertNames.Joined.Output)
                    ? (ExpertNames.Joined.Output, [apart.Output]) : (ExpertNames.Joined.Inputs[0], apart.Inputs);
                if (!ModulePattern.EndsIn(slot.Name, joined))
                    continue;
                var layer = slot.Name[..^joined.Length];
                var present = parts.Where(part => weights.Contains(AdapterTarget.Prefix + First(layer + part) + ".lora_A.weight")).ToList();
                if (present.Count == parts.Count)
                    config = Converted(config, slot.Name, [.. parts.Select(part => First(layer + part))], origin);
                else if (present.Count > 0)
                    throw new UserErrorException($"{origin}: adapts {First(layer + present[0])} and not "
                        + $"{First(layer + parts.Except(present).First())}, which the base joins in {slot.Name}.");
                if (present.Count > 0)
                    found.Add(slot.Name, [.. parts.Select(part => AdapterTarget.Prefix + layer + part)]);
            }
        }
        return new ExpertConversion(found.Count == 0 ? config : WithoutExperts(model, config), found);
    }

    private static string First(string module) => module.Replace("*", "0", StringComparison.Ordinal);

    /// <summary>Ranks add up; alpha grows so that the scale stays.</summary>
    private static LoraConfig Converted(LoraConfig config, string parameter, IReadOnlyList<string> modules, string origin)
    {
        var (rank, scale) = (config.RankOf(modules[0]), config.ScaleOf(modules[0]));
        if (modules.Any(module => config.RankOf(module) != rank || config.ScaleOf(module) != scale))
            throw new UserErrorException($"{origin}: {string.Join(" and ", modules)} differ in rank or alpha, and the base joins them in "
                + $"{parameter}.");
        var whole = rank * modules.Count;
        var name = Regex.Escape(parameter);
        return config with
        {
            TargetParameters = [.. config.TargetParameters, parameter],
            RankPattern = [KeyValuePair.Create(name, (double)whole), .. config.RankPattern],
            AlphaPattern = [KeyValuePair.Create(name, scale * (config.UseRsLora ? Math.Sqrt(whole) : whole)), .. config.AlphaPattern],
        };
    }

    /// <summary>Names that no module of the model has were those of experts.</summary>
    private static LoraConfig WithoutExperts(IPretrainedModel model, LoraConfig config)
    {
        if (config.TargetModules.IsText)
            return config;
        var modules = model.Slots.Select(AdapterTargets.ModuleOf).ToList();
        return config with
        {
            TargetModules = ModulePattern.OfNames(
                [.. config.TargetModules.Names.Where(name => modules.Exists(module => ModulePattern.EndsIn(module, name)))]),
        };
    }
}
