using System.CommandLine;
using System.Globalization;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Training.Options;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook recipe check|show|explain</c>: what a recipe means, without running it.</summary>
internal static class RecipeCommand
{
    public static Command Create(
        Terminal terminal) => new HandbookCommand("recipe", "Check a recipe, show all that holds in it, or explain a key.")
    {
        Check(terminal), Show(terminal), Explain(terminal),
    };

    private static Command Check(Terminal terminal)
    {
        var command = new HandbookCommand("check",
            "Report every problem of one or more recipes, with line, column and the nearest valid name.",
            "handbook recipe check recipes/quickstart/sft.yaml", "handbook recipe check recipe.yaml --task=dpo --beta=0.5");
        var words = RecipeArguments.AddTo(command);
        command.SetAction(parsed => CheckAll(parsed.GetValue(words)!, terminal));
        return command;
    }

    private static int CheckAll(string[] words, Terminal terminal)
    {
        RecipeArguments.Require(words, "recipe check");
        var problems = new List<string>();
        foreach (var one in RecipeSource.Split(words))
        {
            try { CheckOne(one, terminal); }
            catch (UserErrorException problem) { problems.AddRange(problem.Problems); }
        }
        return problems.Count == 0 ? ExitCodes.Success : throw new UserErrorException(problems);
    }

    private static void CheckOne(IReadOnlyList<string> words, Terminal terminal)
    {
        var recipe = Read(words, "recipe check");
        var run = TaskSet.Training.Includes(recipe.Task) ? RecipeReader.Read(recipe.Source, recipe.Task).Options : null;
        var step = run is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture,
                $", {Quantity.Of(run.Optimization.PerDeviceBatchSize * run.Optimization.GradientAccumulation, "row")} a step on one "
                    + $"device");
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{recipe.Source.File ?? "command line"}: fine. {recipe.Task}, "
                + $"{Quantity.Of(recipe.Values.Given.Count(value => !value.Path.Contains('.', StringComparison.Ordinal)), "key")}{step}."));
        foreach (var note in recipe.Notes)
            terminal.Output.WriteLine("  note: " + note);
        foreach (var missing in run is null ? [] : RecipeSupport.FindMissing(run))
            terminal.Output.WriteLine("  cannot be run yet: " + missing);
    }

    private static Command Show(Terminal terminal)
    {
        var command = new HandbookCommand("show",
            "Print a recipe with overrides applied, where each value comes from, and the defaults beside it.",
            "handbook recipe show recipe.yaml --learning_rate=1e-4");
        var words = RecipeArguments.AddTo(command);
        command.SetAction(parsed =>
        {
            foreach (var line in RecipeListing.Show(Read(parsed.GetValue(words)!, "recipe show"), withDefaults: true))
                terminal.Output.WriteLine(line);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Explain(Terminal terminal)
    {
        var key = new Argument<string?>("KEY")
        {
            Description = "The key, lr_scheduler_kwargs.min_lr_rate inside a section; left out: all keys.", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new HandbookCommand("explain", "Say what a key does, its values, default and origin.",
            "handbook recipe explain packing_strategy") { key };
        command.SetAction(parsed =>
        {
            foreach (var line in parsed.GetValue(key) is { } name ? RecipeListing.Explain(name) : Contents())
                terminal.Output.WriteLine(line);
            return ExitCodes.Success;
        });
        return command;
    }

    private static IEnumerable<string> Contents()
    {
        var rows = RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour).ToList();
        var width = rows.Max(row => row.Name.Length) + 2;
        return rows.Select(row => row.Name.PadRight(width) + row.Doc);
    }

    private static CheckedRecipe Read(IReadOnlyList<string> words, string command)
    {
        var (source, task) = RecipeArguments.Load(words, command, TaskSet.Everything);
        return RecipeReader.Check(source, task);
    }
}
