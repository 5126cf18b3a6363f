namespace Handbook.Cli.Tests;

public class FaultReportTests
{
    public static TheoryData<Exception, int, string> Faults() => new()
    {
        { new UserErrorException("a.yaml:1:1: wrong"), ExitCodes.UserError, "a.yaml:1:1: wrong\n" },
        { new TypeInitializationException("X", new UserErrorException("libtorch was not found")), ExitCodes.UserError,
            "libtorch was not found\n" },
        { new TypeInitializationException("X", new MachineException("libtorch was not found: ...")), ExitCodes.Failure,
            "libtorch was not found: ...\n" },
        { new AggregateException(new UserErrorException("row 3")), ExitCodes.UserError, "row 3\n" },
        { new InvalidOperationException("broken\nat all"), ExitCodes.Failure,
            "broken (InvalidOperationException; --verbose shows where)\n" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Write_OneLineAndTheCode(Exception fault, int code, string text)
    {
        using var error = new StringWriter();
        Assert.Equal((code, text), (FaultReport.Write(fault, null, isVerbose: false, error), error.ToString()));
    }

    [Fact]
    public void Write_CancelledBySignal_HasTheSignalsCodeAndSaysNothing()
    {
        using var error = new StringWriter();
        Assert.Equal((ExitCodes.Terminated, ""),
            (FaultReport.Write(new OperationCanceledException(), ExitCodes.Terminated, false, error), error.ToString()));
    }

    [Fact]
    public void Write_Verbose_AddsTheStack()
    {
        using var error = new StringWriter();
        FaultReport.Write(new InvalidOperationException("broken"), null, isVerbose: true, error);
        Assert.Contains("System.InvalidOperationException: broken", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_DiskFull_IsOneLineAndTheUsersCode()
    {
        // The device that is always full is how Linux lets one try.
        if (!File.Exists("/dev/full"))
            return;
        var fault = Assert.ThrowsAny<IOException>(() => File.WriteAllText("/dev/full", "x"));
        using var error = new StringWriter();
        Assert.Equal(ExitCodes.UserError, FaultReport.Write(fault, null, isVerbose: false, error));
        Assert.StartsWith("the disk is full: ", error.ToString(), StringComparison.Ordinal);
    }
}
