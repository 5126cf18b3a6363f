using System.CommandLine;
using Handbook.Cli.Progress;
using Handbook.Recipes;
using Handbook.Sampling;
using Spectre.Console;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook sample</c>: rejection sampling, once or in turn with training.</summary>
internal static class SampleCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new HandbookCommand("sample",
            "Sample several answers to every prompt from a model or an endpoint, score them by a "
            + "reward model, by rules or by a judge, and write the best as an "
            + "SFT set and better and worse ones as a preference set. With train_recipe it trains on "
            + "what it made and samples again, for as many rounds as asked. "
            + "A run that was stopped goes on when the same command is given again, and ends with the same files.",
            "handbook sample recipe.yaml",
            "handbook sample --model_name_or_path=out/sft --dataset_name=prompts.jsonl --reward_funcs=reward_model:out/reward "
                + "--num_generations=16 --output_dir=out/sampled",
            "handbook sample recipe.yaml --rounds=3 --train_recipe=dpo.yaml");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(words)!, terminal, stop));
        return command;
    }

    private static async Task<int> RunAsync(string[] arguments, Terminal terminal, CancellationToken stop)
    {
        if (arguments.Length == 0)
            throw new UserErrorException(
                "handbook sample needs a recipe, or at least --model_name_or_path, --dataset_name, --reward_funcs and --output_dir.");
        var recipe = SampleRecipe.Read(RecipeSource.Load(arguments));
        RecipeArguments.Begin(recipe.Checked, terminal);
        var progress = TerminalProgress.Of(terminal);
        if (recipe.Options.TrainRecipe is null)
        {
            Show(await new SamplingRun(recipe.Options, progress, terminal.Clock).ExecuteAsync(stop).ConfigureAwait(false), terminal);
            return ExitCodes.Success;
        }
        var plan = new RoundPlan(recipe.Options.Rounds, recipe.Options.PromptsPerRound,
            (model, sets, output) => recipe.Train(model, sets, output).Options);
        var result = await new SamplingRounds(recipe.Options, plan, progress, terminal.Clock).ExecuteAsync(stop).ConfigureAwait(false);
        if (result is null)
            throw new OperationCanceledException(stop);
        Show(result, terminal);
        return ExitCodes.Success;
    }

    private static void Show(SamplingResult result, Terminal terminal)
    {
        ResultTable.Write(["", "value"], [.. result.Report.Facts.Select(fact => (IReadOnlyList<string>)[fact.Name, fact.Value])], terminal);
        terminal.Output.WriteLine($"sft set      {result.Sets.Sft}");
        terminal.Output.WriteLine($"preferences  {result.Sets.Preferences}");
        terminal.Output.WriteLine($"candidates   {result.Sets.Candidates}");
        terminal.Output.WriteLine($"report       {result.Sets.Report}");
    }

    private static void Show(RoundsResult result, Terminal terminal)
    {
        ResultTable.Write(RoundsReport.Columns, RoundsReport.Rows(result), terminal);
        terminal.Output.WriteLine($"model   {result.Model}");
        terminal.Output.WriteLine($"report  {result.Report}");
    }
}
