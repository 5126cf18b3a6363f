using Handbook.Training.Progress;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Handbook.Cli.Progress;

/// <summary>
/// Progress on a terminal: two lines that are drawn over, with remarks scrolling above them. It draws at most ten times a
/// second, so that watching costs nothing.
/// </summary>
/// <param name="console">The terminal.</param>
/// <param name="clock">Paces the drawing.</param>
public sealed class LiveProgress(IAnsiConsole console, TimeProvider clock) : ITrainingProgress
{
    private const int BarWidth = 28;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private string title = "";
    private long? drawnAt;
    private int drawnLines;
    private string[] frame = [];

    /// <inheritdoc/>
    public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts)
    {
        Erase();
        this.title = title;
        console.MarkupLine($"[bold]{Shown(title)}[/]");
        foreach (var (name, value) in facts)
            console.MarkupLine($"  [grey]{Shown(name)}[/]  {Shown(value)}");
        drawnAt = null;
    }

    /// <inheritdoc/>
    public void Step(StepProgress step)
    {
        if (step.Step < step.TotalSteps && IsTooSoon())
            return;
        var gradient = step.GradientNorm is { } norm ? $"  [grey]grad[/] {ProgressText.Number(norm)}" : "";
        var watched = string.Concat(step.Watched.Select(metric => $"  [grey]{Shown(metric.Name)}[/] {ProgressText.Number(metric.Value)}"));
        Draw(
            Bar(title, step.Step, step.TotalSteps)
                + $"  [grey]epoch[/] {step.Epoch:0.00}  [grey]eta[/] [bold]{ProgressText.Time(step.Remaining)}[/]",
            $"  [grey]loss[/] [bold green]{step.Loss:0.0000}[/]{watched}{gradient}  [grey]lr[/] {ProgressText.Rate(step.LearningRate)}  "
                + $"{ProgressText.Count(step.TokensPerSecond)} [grey]tok/s[/]");
    }

    /// <inheritdoc/>
    public void Advance(string title, long done, long total)
    {
        if (done < total && IsTooSoon())
            return;
        Draw(Bar(title, done, total));
        if (done >= total)
            Erase();
    }

    /// <inheritdoc/>
    public void Note(string text)
    {
        var isDrawn = drawnLines > 0;
        Erase();
        console.WriteLine(PrintableText.Line(text));
        // What was drawn goes on below the remark: the next step may be minutes away.
        if (isDrawn)
            Draw(frame);
        drawnAt = null;
    }

    /// <inheritdoc/>
    public void End() => drawnLines = 0;

    private bool IsTooSoon()
    {
        var now = clock.GetTimestamp();
        if (drawnAt is { } before && clock.GetElapsedTime(before, now) < Pause)
            return true;
        drawnAt = now;
        return false;
    }

    private static string Bar(string title, long done, long total)
    {
        var share = total > 0 ? Math.Clamp((double)done / total, 0, 1) : 0;
        var filled = (int)Math.Round(share * BarWidth);
        return $"[bold]{Shown(title)}[/] [green]{new string('━', filled)}[/][grey]{new string('━', BarWidth - filled)}[/] {done}/{total}";
    }

    private static string Shown(string text) => Markup.Escape(PrintableText.Line(text));

    // A line wider than the window would wrap and break the drawing over: it is cut instead.
    private void Draw(params ReadOnlySpan<string> lines)
    {
        Erase();
        foreach (var line in lines)
        {
            var text = Markup.Remove(line);
            if (text.Length < console.Profile.Width)
                console.MarkupLine(line);
            else
                console.WriteLine(text[..Math.Max(0, console.Profile.Width - 1)]);
        }
        drawnLines = lines.Length;
        frame = lines.ToArray();
    }

    private void Erase()
    {
        for (; drawnLines > 0; drawnLines--)
            console.Write(new ControlCode("\u001b[1A\u001b[2K\r"));
    }
}
