using Handbook.Training.Progress;

namespace Handbook.Sampling.Tests;

/// <summary>Stops a run after a number of advances.</summary>
internal sealed class StoppingProgress(CancellationTokenSource stop, int after) : ITrainingProgress
{
    private int advances;

    public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts) { }

    public void Step(StepProgress step) { }

    public void Advance(string title, long done, long total)
    {
        if (++advances == after)
            stop.Cancel();
    }

    public void Note(string text) { }

    public void End() { }
}
