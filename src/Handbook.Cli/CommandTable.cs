using System.CommandLine;
using Handbook.Cli.Commands;
using Handbook.Training.Runs;

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
        new("quickstart", "Start here", "From nothing to a model that answers questions, in minutes, with a report",
            QuickstartCommand.Create),
        .. TrainingMethod.ByData.Select(method => new CommandRow(method.Name, "Train", method.Summary, TrainCommand.For(method))),
        new("sweep", "Train", "Run a recipe for every combination of values and compare the results", SweepCommand.Create),
        new("tokenizer", "Train", "Train a byte-level BPE tokenizer from text", TokenizerCommand.Create),
        new("sample", "Make data", "Sample answers, score them, and keep the best as training data; in rounds with training",
            SampleCommand.Create),
        new("constitution", "Make data", "Let a model criticise and revise its answers under principles, as training data",
            ConstitutionCommand.Create),
        new("merge", "Take it elsewhere", "Write an adapter and all that it was trained on as one model", MergeCommand.Create),
        new("export", "Take it elsewhere", "Write a model as GGUF for llama.cpp and Ollama, whole or packed in eight, six or four bits",
            ExportCommand.Create),
        new("plan", "Look around", "Say what memory and time a recipe's run needs, and what other settings would save", PlanCommand.Create),
        new("model", "Look around", "Say what a model is, and what memory it takes to load and to fine-tune it", ModelCommand.Create),
        new("data", "Look around", "Prepare a recipe's data ahead, look at it in numbers, or export its tokens", DataCommand.Create),
        new("recipe", "Look around", "Check a recipe, show all that holds in it, or explain a key", RecipeCommand.Create),
        new("bench", "Look around", "Time training steps against the machine's own matrix rate", BenchCommand.Create),
        new("doctor", "Look around", "Say what was found on this machine, what is missing, and how to get it", DoctorCommand.Create),
    ];
}
