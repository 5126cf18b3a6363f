using Handbook.TestSupport;

namespace Handbook.Cli.Tests;

public sealed class TerminalWriterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-terminal-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void ALine_IsOneLine_AndSteersNothing()
    {
        using var inner = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(inner, inner, isInteractive: false, TimeProvider.System);
        terminal.Output.WriteLine("name\u001b[2J\nerror: forged");
        terminal.Error.WriteLine("role \u202eresu");
        terminal.Output.Write("two\nlines\u0007\n");
        Assert.Equal("name\\x1b[2J\\nerror: forged\nrole \\u202eresu\ntwo\nlines\\x07\n", inner.ToString());
    }

    [Fact]
    public void ATable_EscapesItsCells()
    {
        using var inner = new StringWriter { NewLine = "\n" };
        ResultTable.Write(["run", "loss"], [["a\u001b[31m\nb", "1"]],
            new Terminal(inner, inner, isInteractive: false, TimeProvider.System));
        Assert.Contains("a\\x1b[31m\\nb", inner.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sft\n\u001b[31m", "'sft\\n\\x1b[31m' is not a command.")]
    [InlineData("recipe", "show", "/none/a\nb\u202e.yaml", "/none/a\\nb\\u202e.yaml: no such file.")]
    public async Task AnError_IsOneLine(params string[] words)
    {
        var invocation = await Invocation.RunAsync(words[..^1]);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.StartsWith(words[^1], Assert.Single(invocation.ErrorLines), StringComparison.Ordinal);
    }

    [DeviceFact]
    public async Task ResultsThatCannotBeWritten_EndWithACodeAndAReason()
    {
        var path = SpecialFiles.MakeFull(Path.Combine(folder, "full"));
        await using var full = new StreamWriter(new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            AutoFlush = true,
        };
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(["recipe", "explain", "packing"],
            new Terminal(full, error, isInteractive: false, TimeProvider.System));
        Assert.Equal(ExitCodes.UserError, code);
        Assert.StartsWith("the disk is full: ", error.ToString(), StringComparison.Ordinal);
    }

    [DeviceFact]
    public async Task AnErrorThatCannotBeShown_EndsWithItsCode()
    {
        var path = SpecialFiles.MakeFull(Path.Combine(folder, "full"));
        await using var full = new StreamWriter(new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            AutoFlush = true,
        };
        Assert.Equal(ExitCodes.UserError,
            await CommandLine.RunAsync(["nonsense"], new Terminal(full, full, isInteractive: false, TimeProvider.System)));
    }

    [Fact]
    public void ProgressThatCannotBeWritten_IsDropped()
    {
        var closed = new StringWriter();
        closed.Dispose();
        var terminal = new Terminal(closed, closed, isInteractive: false, TimeProvider.System);
        terminal.Progress.WriteLine("step 1");
        Assert.Null(terminal.OutputFault);
        terminal.Output.WriteLine("result");
        Assert.IsType<ObjectDisposedException>(terminal.OutputFault);
    }
}
