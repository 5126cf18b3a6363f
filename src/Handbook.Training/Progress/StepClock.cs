namespace Handbook.Training.Progress;

/// <summary>Measures the pace of a run: tokens a second and the time that is left, smoothed over recent steps.</summary>
/// <param name="clock">Where time comes from.</param>
public sealed class StepClock(TimeProvider clock)
{
    private const double Smoothing = 0.1;
    private long last = clock.GetTimestamp();
    private double secondsPerStep;
    private double tokensPerStep;
    private int steps;

    /// <summary>Tokens a second over recent steps; 0 before the first.</summary>
    public double TokensPerSecond => secondsPerStep > 0 ? tokensPerStep / secondsPerStep : 0;

    /// <summary>Notes the end of a step that worked on that many tokens.</summary>
    public void Tick(long tokens)
    {
        var now = clock.GetTimestamp();
        var seconds = clock.GetElapsedTime(last, now).TotalSeconds;
        last = now;
        // The plain mean over the first steps, then an exponential one: the first, slow step is soon forgotten.
        var share = Math.Max(Smoothing, 1.0 / ++steps);
        secondsPerStep += share * (seconds - secondsPerStep);
        tokensPerStep += share * (tokens - tokensPerStep);
    }

    /// <summary>Leaves out the time since the last step: an evaluation or a save is not the pace of training.</summary>
    public void Skip() => last = clock.GetTimestamp();

    /// <summary>Time that so many more steps take.</summary>
    public TimeSpan Remaining(int stepsLeft) => TimeSpan.FromSeconds(Math.Max(0, stepsLeft) * secondsPerStep);
}
