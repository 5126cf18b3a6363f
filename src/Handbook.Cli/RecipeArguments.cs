using System.CommandLine;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Training.Options;

namespace Handbook.Cli;

/// <summary>The arguments of every command that runs a recipe: the recipe and any of its keys.</summary>
internal static class RecipeArguments
{
    /// <summary>Lets a command take <c>recipe.yaml --key=value ...</c>; the words reach the recipe reader as typed.</summary>
    public static Argument<string[]> AddTo(Command command)
    {
        var argument = new Argument<string[]>("recipe.yaml --key=value")
        {
            Description = "The recipe, also as --config recipe.yaml, and any of its keys in place of what the file says "
                + "(--learning_rate=1e-5, --lr_scheduler_kwargs.min_lr_rate 0.1). 'handbook recipe explain' lists the keys.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        command.Arguments.Add(argument);
        return argument;
    }

    /// <summary>Reads the words of a command that finds out itself what the recipe is for.</summary>
    /// <param name="arguments">As typed.</param>
    /// <param name="command">The command's words after <c>handbook</c>.</param>
    /// <param name="tasks">What it may be for.</param>
    /// <exception cref="UserErrorException">There is no recipe, or it does not say what it is for.</exception>
    public static (RecipeSource Source, string Task) Load(IReadOnlyList<string> arguments, string command, TaskSet tasks)
    {
        Require(arguments, command);
        var source = RecipeSource.Load(arguments);
        var task = RecipeReader.FindTask(source) ?? throw new UserErrorException(
            $"{source.File ?? "command line"}: what is it for? Add --task=sft (or {tasks.Describe()}), or the key task.");
        return (source, task);
    }

    /// <summary>Refuses a command line without any word of a recipe.</summary>
    /// <exception cref="UserErrorException">It is one.</exception>
    public static void Require(IReadOnlyList<string> arguments, string command)
    {
        if (arguments.Count == 0)
            throw new UserErrorException($"handbook {command} needs a recipe: handbook {command} recipe.yaml [--key=value ...]");
    }

    /// <summary>
    /// Reads the recipe for a run and sets its environment; remarks go to the error stream, and what cannot be done yet is refused.
    /// </summary>
    /// <exception cref="UserErrorException">The recipe is wrong, or asks for what is not supported.</exception>
    public static Recipe Read(string[] arguments, string task, Terminal terminal)
    {
        if (arguments.Length == 0)
            throw new UserErrorException(
                $"handbook {task} needs a recipe, or at least --model_name_or_path, --dataset_name and --output_dir.");
        var recipe = RecipeReader.Read(RecipeSource.Load(arguments), task);
        if (recipe.Options.Logging.Level <= LogLevel.Info)
        {
            foreach (var note in recipe.Notes)
                terminal.Error.WriteLine("note: " + note);
        }
        RecipeSupport.Refuse(recipe);
        foreach (var (key, value) in recipe.Options.Environment)
            Environment.SetEnvironmentVariable(key, value);
        return recipe;
    }

    /// <summary>What precedes a run that makes data: remarks go to the error stream, the recipe's environment is set.</summary>
    public static void Begin(CheckedRecipe recipe, Terminal terminal)
    {
        foreach (var note in recipe.Notes)
            terminal.Error.WriteLine("note: " + note);
        foreach (var (key, value) in recipe.Values.TextMap("env") ?? [])
            Environment.SetEnvironmentVariable(key, value);
    }
}
