using System.CommandLine;
using Handbook.Cli.Progress;
using Handbook.Recipes;
using Handbook.Sampling.Constitutional;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook constitution</c>: Constitutional AI, the making of its data.</summary>
internal static class ConstitutionCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new HandbookCommand("constitution",
            "Let a model (or an endpoint) answer prompts, criticise its answers under principles of a constitution, and revise them; the "
            + "revised answers become an SFT "
            + "set, and revised against first answers a preference set. A run that was stopped goes on when the same command is given "
            + "again, and ends with the same files.",
            "handbook constitution recipe.yaml",
            "handbook constitution --model_name_or_path=out/sft "
                + "--dataset_name=prompts.jsonl --constitution=constitution.json --output_dir=out/cai");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(words)!, terminal, stop));
        return command;
    }

    private static async Task<int> RunAsync(string[] arguments, Terminal terminal, CancellationToken stop)
    {
        if (arguments.Length == 0)
            throw new UserErrorException(
                "handbook constitution needs a recipe, or at least --model_name_or_path, --dataset_name, --constitution and --output_dir.");
        var recipe = ConstitutionRecipe.Read(RecipeSource.Load(arguments));
        RecipeArguments.Begin(recipe.Checked, terminal);
        var result = await new ConstitutionRun(recipe.Options, TerminalProgress.Of(terminal), terminal.Clock).ExecuteAsync(stop)
            .ConfigureAwait(false);
        ResultTable.Write(ConstitutionReport.Columns, result.Report.Rows, terminal);
        foreach (var file in result.Files)
            terminal.Output.WriteLine($"set     {file}");
        terminal.Output.WriteLine($"report  {result.Page}");
        return ExitCodes.Success;
    }
}
