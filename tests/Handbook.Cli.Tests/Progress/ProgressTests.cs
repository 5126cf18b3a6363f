using Handbook.Cli.Progress;
using Handbook.Training.Progress;
using Spectre.Console;

namespace Handbook.Cli.Tests.Progress;

public sealed class ProgressTests
{
    private static StepProgress Step(int step, bool isLogged = false) => new()
    {
        Step = step,
        TotalSteps = 20,
        Epoch = step / 20.0,
        Loss = 2.5,
        GradientNorm = 1.25,
        LearningRate = 1e-3,
        TokensPerSecond = 12_345,
        Remaining = TimeSpan.FromSeconds(61),
        IsLogged = isLogged,
    };

    [Fact]
    public void PlainProgress_Run_PrintsLoggedStepsAndRemarks()
    {
        var output = new StringWriter { NewLine = "\n" };
        var progress = new PlainProgress(output);
        progress.Begin("sft", [("parameters", "3.4M")]);
        for (var step = 1; step <= 20; step++)
            progress.Step(Step(step, isLogged: step % 10 == 0));
        progress.Advance("evaluation", 1, 2);
        progress.Note("checkpoint-20 saved");
        progress.End();
        Assert.Equal(
            ["sft", "  parameters: 3.4M",
             "step 10/20  epoch 0.50  loss 2.5000  grad 1.25  lr 1.0e-03  12.3k tok/s  eta 1:01",
             "step 20/20  epoch 1.00  loss 2.5000  grad 1.25  lr 1.0e-03  12.3k tok/s  eta 1:01",
             "checkpoint-20 saved", ""],
            output.ToString().Split('\n'));
        Assert.DoesNotContain('\u001b', output.ToString());
    }

    [Theory]
    [InlineData(120)]
    [InlineData(30)]
    public void LiveProgress_Redrawn_TakesTwoLinesThatFitTheWindow(int width)
    {
        var (console, output) = Console(width);
        var progress = new LiveProgress(console, new SteppingClock());
        progress.Begin("sft", []);
        progress.Step(Step(1));
        progress.Step(Step(2));
        progress.Note("evaluation: eval_loss [0.25]");
        progress.Step(Step(20));
        progress.End();
        var screen = Screen(output.ToString());
        Assert.All(screen, line => Assert.True(line.Length < width, line));
        Assert.Equal(4, screen.Count(line => line.Length > 0));
        Assert.StartsWith("evaluation: eval_loss [0.25]", screen[1], StringComparison.Ordinal);
        Assert.StartsWith("sft ━━━━━", screen[2], StringComparison.Ordinal);
        Assert.Contains("loss 2.5000", screen[3], StringComparison.Ordinal);
    }

    [Fact]
    public void LiveProgress_Note_StandsAboveWhatIsDrawn()
    {
        var (console, output) = Console(120);
        var progress = new LiveProgress(console, new SteppingClock());
        progress.Step(Step(1));
        progress.Note("a remark");
        var screen = Screen(output.ToString());
        Assert.Equal("a remark", screen[0]);
        Assert.Contains("1/20", screen[1], StringComparison.Ordinal);
        Assert.Contains("loss 2.5000", screen[2], StringComparison.Ordinal);
    }

    private static (IAnsiConsole Console, StringWriter Output) Console(int width)
    {
        var output = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
        });
        console.Profile.Width = width;
        return (console, output);
    }

    /// <summary>What is left on the screen: line feeds, cursor up and erase line are obeyed, styles dropped.</summary>
    private static List<string> Screen(string text)
    {
        var lines = new List<string> { "" };
        var row = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\u001b')
            {
                var end = text.IndexOfAny(['A', 'K', 'm'], i);
                if (text[end] == 'A')
                    row--;
                else if (text[end] == 'K')
                    lines[row] = "";
                i = end;
            }
            else if (text[i] == '\n')
            {
                if (++row == lines.Count)
                    lines.Add("");
            }
            else if (text[i] != '\r')
            {
                lines[row] += text[i];
            }
        }
        return lines;
    }

    /// <summary>A clock on which every look is a second later.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private long seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => seconds++;
    }
}
