using Handbook.Training.Progress;

namespace Handbook.Cli.Progress;

/// <summary>Progress for files and pipes: a line for every logged step and remark, nothing that moves.</summary>
/// <param name="output">Where lines go.</param>
public sealed class PlainProgress(TextWriter output) : ITrainingProgress
{
    /// <inheritdoc/>
    public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts)
    {
        output.WriteLine(title);
        foreach (var (name, value) in facts)
            output.WriteLine($"  {name}: {value}");
    }

    /// <inheritdoc/>
    public void Step(StepProgress step)
    {
        if (step.IsLogged || step.Step == step.TotalSteps)
            output.WriteLine(ProgressText.Line(step));
    }

    /// <inheritdoc/>
    public void Advance(string title, long done, long total) { }

    /// <inheritdoc/>
    public void Note(string text) => output.WriteLine(text);

    /// <inheritdoc/>
    public void End() => output.Flush();
}
