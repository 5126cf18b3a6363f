using System.CommandLine;

namespace Handbook.Cli;

/// <summary><c>--overwrite</c>, the same in every command that writes what the user names.</summary>
internal static class OverwriteOption
{
    /// <summary>A new one for a command.</summary>
    public static Option<bool> Create() => new("--overwrite") { Description = "Write over what is there, whoever made it." };
}
