using System.CommandLine;
using Handbook.Cli.Progress;
using Handbook.Reports;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook cpt</c>, <c>sft</c>, <c>dpo</c> ...: one training run from a recipe.</summary>
internal static class TrainCommand
{
    /// <summary>Makes the command of a task.</summary>
    public static Func<Terminal, Command> For(TrainingTask task) => terminal => Create(task, terminal);

    private static HandbookCommand Create(TrainingTask task, Terminal terminal)
    {
        var name = task.ToString().ToLowerInvariant();
        var command = new HandbookCommand(
            name, $"{What(task)} A run that was stopped goes on from its newest whole checkpoint when the same command is given again.",
            $"handbook {name} recipe.yaml",
            $"handbook {name} --config recipe.yaml --learning_rate=1e-5 --max_steps=100",
            $"handbook {name} --model_name_or_path=MODEL --dataset_name=rows.jsonl --output_dir=out");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            var recipe = RecipeArguments.Read(parsed.GetValue(words)!, task, terminal);
            var result = new TrainingRun(recipe.Options, RunPages.All, TerminalProgress.Of(terminal), terminal.Clock).Execute(stop);
            return result.Stopped ? throw new OperationCanceledException(stop) : Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static string What(TrainingTask task) => task switch
    {
        TrainingTask.Cpt => "Continue pretraining on plain text (or start it, with model_config): every token counts in the loss.",
        TrainingTask.Dpo => "Align a fine-tuned model to pairs of better and worse answers: DPO, IPO, hinge and the rest of the family by loss_type.",
        TrainingTask.Orpo => "Fine-tune and align in one stage: the likelihood of the better answers and the odds against the worse ones.",
        TrainingTask.Cpo => "Align to pairs of better and worse answers without a reference model: CPO, and by loss_type SimPO and AlphaPO.",
        TrainingTask.Kto => "Align to answers that were liked or not, each on its own: prompt, completion and label.",
        TrainingTask.Bco => "Align to answers that were liked or not by telling their rewards apart from the running mean.",
        TrainingTask.Reward => "Train a model that scores answers from pairs of a better and a worse one; saved as a sequence classifier with one label.",
        _ => "Fine-tune on conversations, on prompts with completions, or on text.",
    };
}
