using Handbook.Data.Store;
using Handbook.Recipes.Keys;
using Handbook.Sampling;
using Handbook.Training.Runs;

namespace Handbook.Recipes;

/// <summary>A recipe of <c>handbook sample</c> that was read without a problem.</summary>
/// <param name="Checked">Its values.</param>
/// <param name="Options">What sampling is told.</param>
public sealed record SampleRecipe(CheckedRecipe Checked, SampleOptions Options)
{
    /// <summary>Reads a recipe of rejection sampling.</summary>
    /// <exception cref="UserErrorException">Something is wrong: all problems, one a line.</exception>
    public static SampleRecipe Read(RecipeSource source)
    {
        var recipe = RecipeReader.Check(source, RecipeTasks.Sample);
        var unsaid = new SampleOptions { Policy = recipe.UnsaidPolicy() };
        return new SampleRecipe(recipe, (SampleOptions)RecipeKeyTable.Fill<GenerationOptions>(unsaid, recipe.Values));
    }

    /// <summary>The training run of a round: the recipe that <c>train_recipe</c> names, with the round's model, data and folder.</summary>
    /// <exception cref="UserErrorException">
    /// The recipe is wrong, asks for what is not supported, or trains on something else than what sampling makes.
    /// </exception>
    public Recipe Train(string model, SampledSets sets, string output)
    {
        var file = Options.TrainRecipe ?? throw new InvalidOperationException("There is no recipe to train by.");
        var task = RecipeReader.FindTask(RecipeSource.Load([file]))
            ?? throw new UserErrorException($"{file}: what is it for? Add the key task, such as task: dpo.");
        if (TrainingMethod.Find(task) is not { } method || !Learns(method))
            throw new UserErrorException($"{file}: task {task} gives no policy that could be sampled from, or does not train on what "
                + $"sampling makes; {Learners} do.");
        var recipe = RecipeReader.Read(RecipeSource.Load(
            [file, $"--model_name_or_path={model}", $"--dataset_name={(method.Data == StoreKind.Sequences ? sets.Sft : sets.Preferences)}",
                $"--output_dir={output}"]), task);
        RecipeSupport.Refuse(recipe);
        return recipe;
    }

    private static string Learners
    {
        get
        {
            string[] names = [.. TrainingMethod.All.Where(Learns).Select(method => method.Name)];
            return $"{string.Join(", ", names[..^1])} and {names[^1]}";
        }
    }

    /// <summary>Whether a method makes a policy out of conversations or pairs.</summary>
    private static bool Learns(TrainingMethod method) =>
        method is { IsClassifier: false, IsPlainText: false, Data: StoreKind.Sequences or StoreKind.Pairs };
}
