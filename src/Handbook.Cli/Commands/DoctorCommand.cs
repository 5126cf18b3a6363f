using System.CommandLine;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook doctor</c>: what was found, what is missing, and the command that gets it.</summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new Command("doctor", "Say what was found on this machine, what is missing, and how to get it.");
        command.SetAction(_ =>
        {
            terminal.Output.WriteLine($"runtime  .NET {Environment.Version}");
            return ExitCodes.Success;
        });
        return command;
    }
}
