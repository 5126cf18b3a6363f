using Handbook.Training.Progress;

namespace Handbook.TestModels;

/// <summary>Keeps the remarks.</summary>
public sealed class NotingProgress : ITrainingProgress
{
    public List<string> Notes { get; } = [];

    public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts) { }

    public void Step(StepProgress step) { }

    public void Advance(string title, long done, long total) { }

    public void Note(string text) => Notes.Add(text);

    public void End() { }
}
