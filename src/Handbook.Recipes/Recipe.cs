using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>A recipe that was read without a problem.</summary>
/// <param name="Source">Where it came from.</param>
/// <param name="Options">What a run is told.</param>
/// <param name="Values">Its keys and values, present names, defaults on asking.</param>
/// <param name="Notes">What a person should know: older names, keys without an effect, settings that another one overrules. One line each.</param>
public sealed record Recipe(RecipeSource Source, RunOptions Options, RecipeValues Values, IReadOnlyList<string> Notes);
