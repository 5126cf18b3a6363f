using System.CommandLine;

namespace Handbook.Cli;

/// <summary>A command with examples for its help page.</summary>
internal sealed class HandbookCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Lines that a reader may paste; without the leading <c>./</c>.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Whether the first signal may end it in the middle of what it computes: nothing of it can be continued.</summary>
    public bool HasNothingToSave { get; set; }
}
