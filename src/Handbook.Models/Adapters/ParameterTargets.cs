using Handbook.Models.Architectures;
using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>What <c>target_parameters</c> mean: PEFT's way to the experts that transformers 5 holds in one tensor.</summary>
internal static class ParameterTargets
{
    private const string Key = "target_parameters";

    /// <summary>Finds them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="origin">Where they stand, for messages.</param>
    /// <exception cref="UserErrorException">A name means nothing, or something that cannot be adapted so.</exception>
    internal static IReadOnlyList<AdapterTarget> Of(IPretrainedModel model, LoraConfig config, string origin)
    {
        if (config.TargetParameters.Count == 0)
            return [];
        var known = ModelParameter.Of(model).ToList();
        CheckNames(known, config, origin);
        CheckSettings(config, origin);
        var meant = known.Where(one => config.TargetParameters.Any(name => ModulePattern.EndsIn(one.Name, name))).ToList();
        foreach (var one in meant)
            CheckForm(model, one, origin);
        return [.. meant.GroupBy(one => one.Module).SelectMany(module => Nested([.. module], config))];
    }

    /// <summary>PEFT wraps a module once for each of its parameters, the last one around the others.</summary>
    private static IEnumerable<AdapterTarget> Nested(List<ModelParameter> parameters, LoraConfig config)
    {
        var module = parameters[0].Module + string.Concat(Enumerable.Repeat(".base_layer", parameters.Count - 1));
        foreach (var (slots, name) in parameters.Select(one => (one.Slots, one.Name)))
        {
            yield return new AdapterTarget(slots, module, config.RankOf(name), config.ScaleOf(name)) { Parameter = name };
            module = module[..Math.Max(module.LastIndexOf('.'), 0)];
        }
    }

    private static void CheckNames(List<ModelParameter> known, LoraConfig config, string origin)
    {
        var wrong = config.TargetParameters.Where(name => !known.Any(one => ModulePattern.EndsIn(one.Name, name))).ToList();
        if (wrong.Count == 0)
            return;
        var names = known.Where(one => one.DimensionCount > 1).Select(one => WithoutLayer(one.Name)).Distinct().ToList();
        var hint = NearestName.Hint(wrong[0], names.SelectMany(Ends).Distinct());
        throw new UserErrorException($"{origin}: {Key}: {string.Join(", ", wrong)} {(wrong.Count == 1 ? "is" : "are")} no parameter of "
            + $"the model.{(hint.Length > 0 ? hint : $" Parameters are {string.Join(", ", names)}.")}");
    }

    private static void CheckSettings(LoraConfig config, string origin)
    {
        // PEFT adapts the parameter and never sees the rows that meet it.
        if (config.Dropout != 0)
            throw new UserErrorException(FormattableString.Invariant($"{origin}: lora_dropout is {config.Dropout}; {Key} need 0, as PEFT ")
                + "has no dropout before a parameter.");
        if (config.UseDora)
            throw new UserErrorException($"{origin}: use_dora: PEFT has no DoRA around a parameter ({Key}); leave one of the two out.");
        if (config.Initialization == LoraInitialization.Pissa)
            throw new UserErrorException($"{origin}: init_lora_weights: pissa begins with the vectors of a module's weight; {Key} name "
                + "parameters. Leave one of the two out.");
    }

    private static void CheckForm(IPretrainedModel model, ModelParameter parameter, string origin)
    {
        if (parameter.DimensionCount is not (2 or 3))
            throw new UserErrorException($"{origin}: {Key}: {parameter.Name} has {Quantity.Of(parameter.DimensionCount, "dimension")}; "
                + "matrices and stacks of matrices are what a low-rank pair goes around.");
        // There PEFT takes inputs for outputs, and the same layer named as a module would have another adapter.
        if (parameter.DimensionCount == 2 && model.Map[parameter.Slots[0].Name] is StoredForm.Transposed)
            throw new UserErrorException($"{origin}: {Key}: {parameter.Name} stands [inputs, outputs] in its module; name the module in "
                + "target_modules.");
    }

    private static string WithoutLayer(string name)
    {
        var parts = name.Split('.');
        var number = Array.FindIndex(parts, part => part.All(char.IsAsciiDigit));
        return number < 0 ? name : string.Join('.', parts[(number + 1)..]);
    }

    private static IEnumerable<string> Ends(string name)
    {
        for (var begin = 0; begin >= 0; begin = name.IndexOf('.', begin) is var dot and >= 0 ? dot + 1 : -1)
            yield return name[begin..];
    }
}
