using System.CommandLine;
using Handbook.Cli.Doctor;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook doctor</c>: what was found, what is missing, and the command that gets it.</summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new HandbookCommand("doctor",
            "Say what was found on this machine and is used, what is missing, and the command "
                + "that gets it. Exit code 1 when nothing can be trained.",
            "handbook doctor", "HANDBOOK_LIBTORCH=~/venv/lib/python3.12/site-packages/torch/lib ./handbook doctor");
        command.SetAction(_ =>
        {
            Finding[] findings = [.. MachineProbe.Look(), .. LibraryProbe.Look()];
            DoctorView.Write(findings, terminal);
            return findings.Any(finding => finding.State == FindingState.Missing) ? ExitCodes.Failure : ExitCodes.Success;
        });
        return command;
    }
}
