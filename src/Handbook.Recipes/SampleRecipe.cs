using Handbook.Recipes.Keys;
using Handbook.Sampling;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>A recipe of <c>handbook sample</c> that was read without a problem.</summary>
/// <param name="Checked">Its values.</param>
/// <param name="Options">What a round of sampling is told.</param>
/// <param name="Rounds">How often to sample and train in turn.</param>
/// <param name="PromptsPerRound">Prompts of each round; null: all of them every time.</param>
/// <param name="TrainRecipe">The recipe of the training run after each sampling; null for none.</param>
public sealed record SampleRecipe(CheckedRecipe Checked, SampleOptions Options, int Rounds, int? PromptsPerRound, string? TrainRecipe)
{
    /// <summary>Reads a recipe of rejection sampling.</summary>
    /// <exception cref="UserErrorException">Something is wrong: all problems, one a line.</exception>
    public static SampleRecipe Read(RecipeSource source)
    {
        var recipe = RecipeReader.Check(source, TrainingTask.Sample);
        var values = recipe.Values;
        return new SampleRecipe(
            recipe, GenerationBinder.Sample(recipe), values.Integer("rounds"), values.IntegerOrNull("prompts_per_round"), values.Text("train_recipe"));
    }

    /// <summary>The training run of a round: the recipe that <see cref="TrainRecipe"/> names, with the round's model, data and folder.</summary>
    /// <exception cref="UserErrorException">The recipe is wrong, asks for what is not supported, or trains on something else than what sampling makes.</exception>
    public Recipe Train(string model, SampledSets sets, string output)
    {
        var file = TrainRecipe ?? throw new InvalidOperationException("There is no recipe to train by.");
        var task = RecipeReader.FindTask(RecipeSource.Load([file])) ?? throw new UserErrorException($"{file}: what is it for? Add the key task, such as task: dpo.");
        if (!Tasks.All.Includes(task) || task is TrainingTask.Cpt or TrainingTask.Kto or TrainingTask.Bco or TrainingTask.Reward)
            throw new UserErrorException($"{file}: task {task.CommandName()} gives no policy that could be sampled from, or does not train on what sampling makes; sft, dpo, orpo and cpo do.");
        var recipe = RecipeReader.Read(RecipeSource.Load(
            [file, $"--model_name_or_path={model}", $"--dataset_name={(task == TrainingTask.Sft ? sets.Sft : sets.Preferences)}", $"--output_dir={output}"]), task);
        RecipeSupport.Refuse(recipe);
        return recipe;
    }
}
