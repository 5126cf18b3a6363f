using System.CommandLine;
using Handbook.Cli.Progress;
using Handbook.Reports;
using Handbook.Training.Planning;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook cpt</c>, <c>sft</c>, <c>dpo</c> ...: one training run from a recipe.</summary>
internal static class TrainCommand
{
    /// <summary>Makes the command of a method.</summary>
    public static Func<Terminal, Command> For(TrainingMethod method) => terminal => Create(method, terminal);

    private static HandbookCommand Create(TrainingMethod method, Terminal terminal)
    {
        var name = method.Name;
        var command = new HandbookCommand(
            name, $"{method.Description} A run that was stopped goes on from its newest "
                + "whole checkpoint when the same command is given again.",
            $"handbook {name} recipe.yaml",
            $"handbook {name} --config recipe.yaml --learning_rate=1e-5 --max_steps=100",
            $"handbook {name} --model_name_or_path=MODEL --dataset_name=rows.jsonl --output_dir=out");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            var recipe = RecipeArguments.Read(parsed.GetValue(words)!, name, terminal);
            var result = new TrainingRun(recipe.Options, RunPages.All, TerminalProgress.Of(terminal), terminal.Clock, RunForecast.Instance)
                .Execute(stop);
            return result.Stopped ? throw new OperationCanceledException(stop) : Task.FromResult(ExitCodes.Success);
        });
        return command;
    }
}
