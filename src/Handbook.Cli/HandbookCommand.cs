using System.CommandLine;

namespace Handbook.Cli;

/// <summary>A command with examples for its help page.</summary>
internal sealed class HandbookCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Lines that a reader may paste; without the leading <c>./</c>.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}
