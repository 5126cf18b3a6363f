using System.Text.RegularExpressions;
using Handbook.Cli.Doctor;

namespace Handbook.Cli.Tests;

public partial class DoctorCommandTests
{
    [Fact]
    public async Task Doctor_OnThisMachine_NamesLibtorchAndItsVersion()
    {
        var invocation = await Invocation.RunAsync("doctor");
        Assert.Equal(ExitCodes.Success, invocation.ExitCode);
        Assert.Matches(LibtorchLine(), invocation.Output);
        Assert.EndsWith("This machine can train.\n", invocation.Output, StringComparison.Ordinal);
        foreach (var topic in new[] { "processor", "instruction sets", "memory", "threads", "precision: auto",
            "times the rate of float32", "MPI", "NCCL" })
            Assert.Contains(topic, invocation.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void View_WithSomethingMissing_SaysHowToGetIt()
    {
        using var output = new StringWriter();
        DoctorView.Write(
            [new Finding("libtorch", FindingState.Missing, "not found", "dotnet restore"),
                new Finding("memory", FindingState.Good, "8.0 GB")],
            new Terminal(output, TextWriter.Null, isInteractive: false, TimeProvider.System));
        Assert.Equal(
            "MISSING libtorch  not found\nok      memory    8.0 GB\n\nTo get what is missing:\n  libtorch  dotnet restore\n\nNothing can "
                + "be trained on this machine yet.\n",
            output.ToString());
    }

    [GeneratedRegex(@"^ok +libtorch +\d+\.\d+\.\d+ in ", RegexOptions.Multiline)]
    private static partial Regex LibtorchLine();
}
