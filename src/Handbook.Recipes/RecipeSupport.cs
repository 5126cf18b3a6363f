using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>
/// What recipes may ask for and this version cannot do yet. Such a recipe reads without a problem; running it is refused
/// in plain words, because ignoring a setting would train another model than the one asked for.
/// </summary>
public static class RecipeSupport
{
    private static readonly (Func<RunOptions, bool> IsAskedFor, string Refusal)[] Missing =
    [
        (run => run.Hub.Push, "push_to_hub: uploading is not supported yet; set it to false."),
    ];

    /// <summary>Why a run cannot do what it is asked, one line each; empty when it can.</summary>
    public static IReadOnlyList<string> FindMissing(RunOptions run) =>
    [
        .. Missing.Where(entry => entry.IsAskedFor(run)).Select(entry => entry.Refusal),
    ];

    /// <summary>Refuses a run that asks for more than this version can do.</summary>
    /// <exception cref="UserErrorException">It does; one line for each thing.</exception>
    public static void Refuse(Recipe recipe)
    {
        var missing = FindMissing(recipe.Options);
        if (missing.Count > 0)
            throw new UserErrorException(missing.Select(line => $"{recipe.Source.File ?? "command line"}: {line}"));
    }
}
