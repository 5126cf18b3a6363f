using Handbook.Training.Progress;

namespace Handbook.Benchmarks;

/// <summary>The time that a benchmark may take, from now on, and what is said of it while it runs.</summary>
/// <param name="clock">Measures it.</param>
/// <param name="limit">All of it.</param>
/// <param name="progress">Hears how long it will take, and how far it is.</param>
public sealed class TimeBudget(TimeProvider clock, TimeSpan limit, ITrainingProgress progress)
{
    // A machine that others share is slower at times than when it was tried.
    private const double Share = 0.85;
    private readonly long start = clock.GetTimestamp();

    /// <summary>A benchmark that takes as long as it takes, and says nothing.</summary>
    public static TimeBudget Unlimited() => new(TimeProvider.System, TimeSpan.FromDays(1000), new SilentProgress());

    /// <summary>Who hears.</summary>
    public ITrainingProgress Progress => progress;

    /// <summary>Seconds left.</summary>
    public double Left => (limit - clock.GetElapsedTime(start)).TotalSeconds;

    /// <summary>Says how long the rest will take, and cuts it to what the time left allows.</summary>
    /// <param name="what">The parts: <c>micro-batches</c>.</param>
    /// <param name="wanted">As many as are asked for.</param>
    /// <param name="seconds">What one takes, as far as is known.</param>
    /// <param name="besides">Seconds that are needed besides.</param>
    /// <returns>As many as fit, at least one.</returns>
    public int Plan(string what, int wanted, double seconds, double besides)
    {
        var fitting = (int)Math.Clamp(Math.Floor((Left * Share - besides) / Math.Max(seconds, 1e-9)), 1, wanted);
        var rest = $"about {ProgressText.Time(TimeSpan.FromSeconds(Math.Ceiling(fitting * seconds + besides)))} to go";
        progress.Note(fitting == wanted ? $"{wanted} {what}, {rest}"
            : FormattableString.Invariant(
                $"{fitting} of {wanted} {what} fit into {limit.TotalMinutes:0.##} minutes (--minutes allows more); {rest}"));
        return fitting;
    }

    /// <summary>Says how far it is.</summary>
    public void Advance(string what, int done, int total)
    {
        progress.Advance(what, done, total);
        progress.Note(FormattableString.Invariant($"{what}: {done} of {total}"));
    }
}
