using Handbook.Recipes.Keys;
using Handbook.Sampling;
using Handbook.Sampling.Constitutional;

namespace Handbook.Recipes;

/// <summary>A recipe of <c>handbook constitution</c> that was read without a problem.</summary>
/// <param name="Checked">Its values.</param>
/// <param name="Options">What the run is told.</param>
public sealed record ConstitutionRecipe(CheckedRecipe Checked, ConstitutionOptions Options)
{
    /// <summary>Reads a recipe of Constitutional AI, and the principles that it names.</summary>
    /// <exception cref="UserErrorException">Something is wrong: all problems, one a line.</exception>
    public static ConstitutionRecipe Read(RecipeSource source)
    {
        var recipe = RecipeReader.Check(source, RecipeTasks.Constitution);
        var unsaid = new ConstitutionOptions { Policy = recipe.UnsaidPolicy() };
        return new ConstitutionRecipe(recipe, (ConstitutionOptions)RecipeKeyTable.Fill<GenerationOptions>(unsaid, recipe.Values));
    }
}
