using System.CommandLine;
using Handbook.Cli.Commands;
using Handbook.Training.Options;

namespace Handbook.Cli;

/// <summary>One line of the command line's contents page.</summary>
/// <param name="Name">What is typed after <c>handbook</c>.</param>
/// <param name="Group">The heading under which <c>--help</c> lists it.</param>
/// <param name="Summary">One line for <c>--help</c>.</param>
/// <param name="Create">Makes the command; called only when this command is the one asked for.</param>
public sealed record CommandRow(string Name, string Group, string Summary, Func<Terminal, Command> Create);

/// <summary>Every command, one a line. Adding a command is a file in <c>Commands/</c> and a row here.</summary>
public static class CommandTable
{
    /// <summary>The rows, in the order in which help shows them.</summary>
    public static IReadOnlyList<CommandRow> Rows { get; } =
    [
        new("quickstart", "Start here", "From nothing to a model that answers questions, in minutes, with a report", QuickstartCommand.Create),
        new("cpt", "Train", "Continue pretraining on plain text", TrainCommand.For(TrainingTask.Cpt)),
        new("sft", "Train", "Fine-tune on conversations, prompts with completions, or text", TrainCommand.For(TrainingTask.Sft)),
        new("dpo", "Train", "Align to preferences with DPO or one of its family of losses", TrainCommand.For(TrainingTask.Dpo)),
        new("orpo", "Train", "Align to preferences in one stage, without a reference model", TrainCommand.For(TrainingTask.Orpo)),
        new("cpo", "Train", "Align to preferences without a reference model: CPO, SimPO, AlphaPO", TrainCommand.For(TrainingTask.Cpo)),
        new("kto", "Train", "Align to single answers that were liked or not", TrainCommand.For(TrainingTask.Kto)),
        new("bco", "Train", "Align to single answers against a running mean of rewards", TrainCommand.For(TrainingTask.Bco)),
        new("reward", "Train", "Train a reward model on pairs of better and worse answers", TrainCommand.For(TrainingTask.Reward)),
        new("sweep", "Train", "Run a recipe for every combination of values and compare the results", SweepCommand.Create),
        new("tokenizer", "Train", "Train a byte-level BPE tokenizer from text", TokenizerCommand.Create),
        new("sample", "Make data", "Sample answers, score them, and keep the best as training data; in rounds with training", SampleCommand.Create),
        new("constitution", "Make data", "Let a model criticise and revise its answers under principles, as training data", ConstitutionCommand.Create),
        new("data", "Look around", "Prepare a recipe's data ahead, look at it in numbers, or export its tokens", DataCommand.Create),
        new("recipe", "Look around", "Check a recipe, show all that holds in it, or explain a key", RecipeCommand.Create),
        new("bench", "Look around", "Time training steps against the machine's own matrix rate", BenchCommand.Create),
        new("doctor", "Look around", "Say what was found on this machine, what is missing, and how to get it", DoctorCommand.Create),
    ];
}
