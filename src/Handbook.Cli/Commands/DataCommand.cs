using System.CommandLine;
using System.Globalization;
using Handbook.Cli.Progress;
using Handbook.Data.Inspection;
using Handbook.Data.Packing;
using Handbook.Data.Store;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Tokenizers;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook data prepare|inspect|stats|export</c>: a recipe's data without its training.</summary>
internal static class DataCommand
{
    public static Command Create(
        Terminal terminal) => new HandbookCommand("data", "Prepare a recipe's data ahead, look at it in numbers, or export its tokens.")
    {
        Prepare(terminal), DataInspectCommand.Create(terminal), Stats(terminal), Export(terminal),
    };

    private static HandbookCommand Prepare(Terminal terminal)
    {
        var command = new HandbookCommand("prepare",
            "Read, mix, clean, tokenize and pack a recipe's data, so that a run of it begins at once.",
            "handbook data prepare recipe.yaml");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            using var store = Open(parsed.GetValue(words)!, "data prepare", terminal, stop, isForTraining: true);
            terminal.Output.WriteLine($"hash {store.ContentHash}");
            terminal.Output.WriteLine($"prepared data: {store.Folder}");
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static HandbookCommand Stats(Terminal terminal)
    {
        var command = new HandbookCommand("stats",
            "Lengths, tokens of each source, repeated examples, and how full rows are under each way of packing.",
            "handbook data stats recipe.yaml");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            using var store = Open(parsed.GetValue(words)!, "data stats", terminal, stop);
            foreach (var line in Lines(StoreStatistics.Of(store)))
                terminal.Output.WriteLine(line);
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static HandbookCommand Export(Terminal terminal)
    {
        var command = new HandbookCommand("export",
            "Write the exact tokens and labels of every row as Parquet, to compare with other programs.",
            "handbook data export recipe.yaml --to rows.parquet", "handbook data export recipe.yaml --to held-out.parquet --evaluation");
        var path = new Option<string>("--to") { Description = "The file to write.", Required = true };
        var evaluation = new Option<bool>("--evaluation") { Description = "The evaluation set instead of the training set." };
        var overwrite = OverwriteOption.Create();
        command.Options.Add(path);
        command.Options.Add(evaluation);
        command.Options.Add(overwrite);
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            OutputFile.Check("--to", parsed.GetValue(path)!, parsed.GetValue(overwrite), StoreExport.Mark);
            var recipe = ReadRecipe(parsed.GetValue(words)!, "data export", terminal);
            using var store = Open(recipe, RunTokenizer.Load(recipe.Options), terminal, stop);
            OutputFile.RefuseInputs("--to", parsed.GetValue(path)!, Inputs(recipe, store));
            var set = SetOf(store, parsed.GetValue(evaluation));
            StoreExport.ToParquet(store, set, parsed.GetValue(path)!, stop);
            terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{parsed.GetValue(path)}: {Quantity.Of(set.RowCount, "row")}"));
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    /// <summary>Reads a recipe whose task it names itself.</summary>
    public static Recipe ReadRecipe(string[] words, string command, Terminal terminal)
    {
        var (source, task) = RecipeArguments.Load(words, command, TaskSet.Training);
        var recipe = RecipeReader.Read(source, task);
        foreach (var note in recipe.Notes)
            terminal.Error.WriteLine("note: " + note);
        return recipe;
    }

    private static TokenStore Open(string[] words, string command, Terminal terminal, CancellationToken stop, bool isForTraining = false)
    {
        var recipe = ReadRecipe(words, command, terminal);
        return Open(recipe, RunTokenizer.Load(recipe.Options), terminal, stop, isForTraining);
    }

    /// <summary>A recipe's data, prepared now or before. What is only looked at may be without any label.</summary>
    public static TokenStore Open(Recipe recipe, Tokenizer tokenizer, Terminal terminal, CancellationToken stop, bool isForTraining = false)
    {
        var progress = TerminalProgress.Of(terminal);
        progress.Begin("data", []);
        var limit = RunVocabulary.Config(recipe.Options, tokenizer).MaxPositions;
        var store = isForTraining
            ? RunData.Prepare(recipe.Options, tokenizer, limit, progress, stop)
            : RunData.PrepareForInspection(recipe.Options, tokenizer, limit, progress, stop);
        progress.End();
        return store;
    }

    /// <summary>
    /// Files that a recipe's data comes from: the recipe, the datasets' files, what lies in the folders of model and tokenizer.
    /// </summary>
    public static IEnumerable<string> Inputs(Recipe recipe, TokenStore store)
    {
        var folders = new[] { recipe.Options.Model.NameOrPath, recipe.Options.Tokenizer.NameOrPath }.Where(Directory.Exists)
            .OfType<string>();
        return
        [
            .. recipe.Source.File is { } file ? new[] { file } : [],
            .. store.Manifest.Sources.SelectMany(source => source.Files).Select(read => read.Path),
            .. folders.SelectMany(Directory.EnumerateFiles),
        ];
    }

    /// <summary>The training set, or the evaluation set if it is asked for.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public static TokenSet SetOf(TokenStore store, bool evaluation) => evaluation
        ? store.Evaluation ?? throw new UserErrorException("--evaluation: this recipe's data has no evaluation set.")
        : store.Train;

    private static IEnumerable<string> Lines(StoreStatistics statistics)
    {
        var lengths = statistics.Lengths;
        yield return string.Create(CultureInfo.InvariantCulture,
            $"tokens an example: shortest {lengths.Shortest}, median {lengths.Median}, mean {lengths.Mean:F1}, 90 % up to "
            + $"{lengths.Percentile90}, 99 % up to {lengths.Percentile99}, longest {lengths.Longest}");
        yield return "sources:";
        var total = statistics.Sources.Sum(source => source.Tokens);
        foreach (var source in statistics.Sources)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"  {source.Name}: {Quantity.Of(source.Examples, "example")}, {Quantity.Of(source.Tokens, "token")} "
                + $"({(total == 0 ? 0 : (double)source.Tokens / total):P1}), {Quantity.Of(source.Labels, "label")}");
        yield return Text($"repeated examples: {statistics.Duplicates}");
        foreach (var (example, of) in statistics.DuplicateExamples.Take(3))
            yield return $"  {example} repeats {of}";
        if (statistics.Packings.Count > 0)
            yield return "packing of the training examples:";
        foreach (var packing in statistics.Packings)
            yield return Text($"  {packing.Strategy.Words()}: {Quantity.Of(packing.Rows, "row")}, {packing.Efficiency:P1} full");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
