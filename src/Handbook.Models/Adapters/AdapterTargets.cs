using System.Globalization;
using System.Text.RegularExpressions;
using Handbook.Models.Architectures;
using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>Which weights of a model an adapter's settings mean. What matches nothing, or half of a thing, is an error.</summary>
internal sealed class AdapterTargets
{
    private readonly IPretrainedModel model;
    private readonly LoraConfig config;
    private readonly string origin;
    private readonly WeightNames names;

    private AdapterTargets(IPretrainedModel model, LoraConfig config, string origin)
    {
        (this.model, this.config, this.origin) = (model, config, origin);
        names = ArchitectureTable.Rows[model.Config.ModelType].Names;
        LowRank = [.. Adapted(), .. ParameterTargets.Of(model, config, origin)];
        Whole = [.. model.Slots.Where(IsWhole)];
        Check();
    }

    /// <summary>What gets a low-rank delta, in the model's order.</summary>
    internal IReadOnlyList<AdapterTarget> LowRank { get; }

    /// <summary>What is trained whole, in the model's order.</summary>
    internal IReadOnlyList<WeightSlot> Whole { get; }

    /// <summary>Parameters that <c>all-linear</c> does not reach, since they are no modules.</summary>
    internal IReadOnlyList<string> Unreached => !config.TargetModules.IsAllLinear || config.TargetParameters.Count > 0 ? []
        : [.. model.Slots.Where(slot => slot.Role == WeightRole.Experts && !IsModule(slot)).Select(slot => slot.Name)];

    /// <summary>What PEFT is told of them: a matrix with two names by both.</summary>
    internal IReadOnlyList<string> NamesOfWhole => !Whole.Any(IsTied) ? config.ModulesToSave
        : [.. config.ModulesToSave.Union(new[] { names.Embedding, names.Head }.Select(name => name[(name.LastIndexOf('.') + 1)..]))];

    /// <summary>Whether the layers stand [inputs, outputs] in files.</summary>
    internal bool FanInFanOut => names.Projections is StoredForm.Transposed;

    /// <summary>Finds them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="origin">Where they stand, for messages.</param>
    /// <exception cref="UserErrorException">A name means nothing, or something that cannot be adapted.</exception>
    internal static AdapterTargets Of(IPretrainedModel model, LoraConfig config, string origin) => new(model, config, origin);

    /// <summary>A weight's module: its name without what PyTorch calls the tensor in it.</summary>
    internal static string ModuleOf(WeightSlot slot) => slot.Name[..slot.Name.LastIndexOf('.')];

    /// <summary>Module of the language-model head.</summary>
    internal static string HeadOf(IPretrainedModel model) => ArchitectureTable.Rows[model.Config.ModelType].Names.Head;

    /// <summary>Module of the table of token vectors.</summary>
    internal static string EmbeddingOf(IPretrainedModel model) => ArchitectureTable.Rows[model.Config.ModelType].Names.Embedding;

    /// <summary>True when the head's matrix is the table of token vectors.</summary>
    internal static bool IsTied(IPretrainedModel model) => model is CausalLanguageModel && model.Config.Head.IsTied;

    private bool IsTied(WeightSlot slot) => slot.Role == WeightRole.Embedding && IsTied(model);

    private IEnumerable<AdapterTarget> Adapted()
    {
        foreach (var slot in model.Slots.Where(IsModule))
        {
            var module = ModuleOf(slot);
            if (IsMeant(slot, module))
                yield return new AdapterTarget([slot], module, config.RankOf(Expanded(slot)[0]), config.ScaleOf(Expanded(slot)[0]));
        }
    }

    private bool IsMeant(WeightSlot slot, string module)
    {
        if (IsTied(slot) && config.EnsureWeightTying && config.TargetModules.Matches(names.Head))
            return true;
        if (config.TargetModules.IsAllLinear)
            return slot.Role is WeightRole.Linear or WeightRole.Experts && !Excluded(module) && IsInLayers(module);
        var meant = Expanded(slot).Select(name => config.TargetModules.Matches(name) && !Excluded(name) && IsInLayers(name)).Distinct()
            .ToList();
        return meant.Count == 1 ? meant[0] : throw new UserErrorException(
            $"{origin}: the pattern fits some experts of {module} and not others; they are one product here, so take all of them or none.");
    }

    private bool Excluded(string module) => config.ExcludeModules?.Matches(module) == true;

    private bool IsInLayers(string module)
    {
        if (config.LayersToTransform is not { } layers)
            return true;
        var patterns = config.LayersPattern is { Count: > 0 } given ? string.Join('|', given.Select(Regex.Escape)) : @"[^.]*";
        var match = Regex.Match(module, $@"^.*?\.(?:{patterns})\.(\d+)\.", RegexOptions.CultureInvariant);
        return match.Success && layers.Contains(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private bool IsWhole(WeightSlot slot)
    {
        var module = ModuleOf(slot);
        if (config.ModulesToSave
            .Any(name => ModulePattern.EndsIn(module, name) || (IsTied(slot) && ModulePattern.EndsIn(names.Head, name))))
            return true;
        var isBias = slot.Name.EndsWith(".bias", StringComparison.Ordinal);
        return isBias && (config.Bias == LoraBias.All
            || (config.Bias == LoraBias.LoraOnly && LowRank.Any(target => target.Module == module)));
    }

    /// <summary>The names of the modules that a place stands for: one for each expert.</summary>
    private static IReadOnlyList<string> Expanded(WeightSlot slot)
    {
        var module = ModuleOf(slot);
        return slot.Role != WeightRole.Experts ? [module]
            : [.. Enumerable.Range(0, (int)slot.Weight.Shape[0])
                .Select(i => module.Replace("*", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))];
    }

    private void Check()
    {
        if (LowRank.FirstOrDefault(target => target.Rank < 1) is { } empty)
            throw new UserErrorException($"{origin}: the rank of {empty.Name} is {empty.Rank}; at least 1 is expected.");
        CheckNames("target_modules", config.TargetModules, [.. model.Slots.Where(IsModule)]);
        CheckNames("modules_to_save", ModulePattern.OfNames(config.ModulesToSave), model.Slots);
        CheckTied();
        if (LowRank.FirstOrDefault(target => config.UseDora && target.IsEmbedding) is { } other)
            throw new UserErrorException($"{origin}: use_dora: {other.Module} is an embedding, of which PEFT trains lengths of columns; "
                + "leave it out, or leave use_dora out.");
        if (LowRank.FirstOrDefault(target => target.Slots.Any(Whole.Contains)) is { } twice)
            throw new UserErrorException($"{origin}: {twice.Name} is in target_modules and in modules_to_save; it can be one of the "
                + "two.");
        var places = new HashSet<WeightSlot>();
        if (LowRank.FirstOrDefault(target => !target.Slots.All(places.Add)) is { } both)
            throw new UserErrorException($"{origin}: {both.Name} is in target_modules and in target_parameters; it can be one of the two.");
        if (LowRank.Count + Whole.Count == 0)
            throw new UserErrorException($"{origin}: no module of the model is meant.{Known()}");
    }

    /// <summary>
    /// A pair around one use of a matrix that has two is none that could be merged: PEFT adds it to both then (issue 2777 there).
    /// </summary>
    private void CheckTied()
    {
        if (!IsTied(model))
            return;
        var parameter = LowRank.FirstOrDefault(target => IsTied(target.Slot) && target.Parameter is not null);
        if (config.EnsureWeightTying && parameter is null)
            return;
        var name = LowRank.FirstOrDefault(target => IsTied(target.Slot))?.Name
            ?? (config.TargetModules.IsAllLinear || !config.TargetModules.Matches(names.Head) || IsWholeByName(names.Head)
                ? null : names.Head);
        var remedy = parameter is null ? "set ensure_weight_tying" : "name the module in target_modules with ensure_weight_tying";
        if (name is not null)
            throw new UserErrorException($"{origin}: {name} is the embedding's matrix and the head's (tie_word_embeddings), and PEFT would "
                + $"adapt one of the two uses only; {remedy}, train it whole (modules_to_save), or leave it out.");
    }

    private bool IsWholeByName(string module) => config.ModulesToSave.Any(name => ModulePattern.EndsIn(module, name));

    private void CheckNames(string key, ModulePattern pattern, IReadOnlyList<WeightSlot> candidates)
    {
        if (pattern.IsText)
        {
            if (LowRank.Count == 0)
                throw new UserErrorException($"{origin}: {key}: \"{pattern.Names[0]}\" matches no module of the model.{Known()}");
            return;
        }
        var modules = candidates.SelectMany(Expanded).ToHashSet(StringComparer.Ordinal);
        if (model is CausalLanguageModel)
            modules.Add(names.Head);
        var wrong = pattern.Names.Where(name => !modules.Any(module => ModulePattern.EndsIn(module, name))).ToList();
        if (wrong.Count == 0)
            return;
        var hint = NearestName.Hint(wrong[0], modules.Select(module => module[(module.LastIndexOf('.') + 1)..]).Distinct());
        var verb = wrong.Count == 1 ? "is" : "are";
        throw new UserErrorException($"{origin}: {key}: {string.Join(", ", wrong)} {verb} no module of the model."
            + (hint.Length > 0 ? hint : Known()));
    }

    /// <summary>
    /// Whether a weight is a module's; experts that are joined in one tensor are a parameter, which a module's name cannot mean.
    /// </summary>
    private static bool IsModule(WeightSlot slot) =>
        slot.Role != WeightRole.Other && slot.Name.EndsWith(".weight", StringComparison.Ordinal);

    private string Known() =>
        " Linear layers are " + string.Join(", ", model.Slots.Where(IsModule)
        .Where(slot => slot.Role is WeightRole.Linear or WeightRole.Experts).Select(ModuleOf)
        .Select(module => module[(module.LastIndexOf('.') + 1)..]).Distinct()) + ".";
}
