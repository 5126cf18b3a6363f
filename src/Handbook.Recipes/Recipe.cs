using Handbook.Sampling;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>A recipe of any command without a problem in it, its values not yet bound to options.</summary>
/// <param name="Source">Where it came from.</param>
/// <param name="Task">What it is for.</param>
/// <param name="Profile">Whose rules are followed.</param>
/// <param name="Values">Its keys and values, present names, defaults on asking.</param>
/// <param name="Notes">What a person should know, one line each.</param>
public sealed record CheckedRecipe(RecipeSource Source, string Task, Profile Profile, RecipeValues Values, IReadOnlyList<string> Notes)
{
    /// <summary>A policy whose settings of sampling are left to its model, where the recipe does not give them.</summary>
    internal PolicyOptions UnsaidPolicy() => new() { LeftToModel = [.. PolicyOptions.ModelSettings.Where(name => !Values.Has(name))] };
}

/// <summary>The recipe of a training run that was read without a problem.</summary>
/// <param name="Source">Where it came from.</param>
/// <param name="Options">What a run is told.</param>
/// <param name="Values">Its keys and values, present names, defaults on asking.</param>
/// <param name="Notes">
/// What a person should know: older names, keys without an effect, settings that another one overrules. One line each.
/// </param>
public sealed record Recipe(RecipeSource Source, RunOptions Options, RecipeValues Values, IReadOnlyList<string> Notes);
