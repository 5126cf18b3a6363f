using Handbook.Training.Options;

namespace Handbook.Training.Schedules;

/// <summary>What a schedule is stretched over.</summary>
internal sealed record ScheduleSpan(ScheduleOptions Options, double BaseLearningRate, int Warmup, int Total)
{
    /// <summary>Share of the warm-up that lies behind <paramref name="step"/>.</summary>
    public double WarmupProgress(int step) => (double)step / Math.Max(1, Warmup);

    /// <summary>Share of the steps after the warm-up that lies behind <paramref name="step"/>.</summary>
    public double Progress(int step) => (double)(step - Warmup) / Math.Max(1, Total - Warmup);
}

/// <summary>A row of the table.</summary>
internal sealed record ScheduleEntry(ScheduleKind Kind, string Name, Func<ScheduleSpan, Func<int, double>> Build);

/// <summary>
/// Every schedule that recipes may name. Formulas follow <c>transformers.optimization</c> (its <c>get_scheduler</c> as the
/// Trainer calls it), the order of floating-point operations included, so that logged learning rates agree to the last digits.
/// </summary>
public static class ScheduleTable
{
    private static readonly ScheduleEntry[] Entries =
    [
        new(ScheduleKind.Linear, "linear", static span => Warmed(span, step =>
            Math.Max(0.0, (double)(span.Total - step) / Math.Max(1, span.Total - span.Warmup)))),
        new(ScheduleKind.Cosine, "cosine", static span => Cosine(span, floor: 0)),
        new(ScheduleKind.CosineWithMinLr, "cosine_with_min_lr", static span => Cosine(span, Floor(span))),
        new(ScheduleKind.CosineWithRestarts, "cosine_with_restarts", CosineWithRestarts),
        new(ScheduleKind.Polynomial, "polynomial", Polynomial),
        new(ScheduleKind.Constant, "constant", static _ => static _ => 1.0),
        new(ScheduleKind.ConstantWithWarmup, "constant_with_warmup", static span =>
            step => step < span.Warmup ? step / Math.Max(1.0, span.Warmup) : 1.0),
        new(ScheduleKind.InverseSqrt, "inverse_sqrt", InverseSquareRoot),
        new(ScheduleKind.WarmupStableDecay, "warmup_stable_decay", WarmupStableDecay),
    ];

    /// <summary>Names that recipes may use as <c>lr_scheduler_type</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Entries.Select(entry => entry.Name)];

    /// <summary>The name of a kind.</summary>
    public static string NameOf(ScheduleKind kind) => Entry(kind).Name;

    /// <summary>The kind of that name; null when there is none.</summary>
    public static ScheduleKind? KindOf(string name) => Array.Find(Entries, entry => entry.Name == name)?.Kind;

    internal static ScheduleEntry Entry(ScheduleKind kind) => Array.Find(Entries, entry => entry.Kind == kind)!;

    private static Func<int, double> Warmed(ScheduleSpan span, Func<int, double> after) =>
        step => step < span.Warmup ? span.WarmupProgress(step) : after(step);

    private static Func<int, double> Cosine(ScheduleSpan span, double floor)
    {
        var cycles = span.Options.Cycles ?? 0.5;
        return Warmed(span, step =>
        {
            var factor = 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * span.Progress(step)));
            return Math.Max(0.0, floor == 0 ? factor : factor * (1 - floor) + floor);
        });
    }

    private static double Floor(ScheduleSpan span) => (span.Options.MinLearningRate, span.Options.MinLearningRateRatio) switch
    {
        (null, null) => throw new UserErrorException("lr_scheduler_kwargs: cosine_with_min_lr needs min_lr_rate or min_lr."),
        ({ }, { }) => throw new UserErrorException("lr_scheduler_kwargs: give min_lr or min_lr_rate, not both."),
        ({ } rate, null) => rate / span.BaseLearningRate,
        (null, { } share) => share,
    };

    private static Func<int, double> CosineWithRestarts(ScheduleSpan span)
    {
        var cycles = span.Options.Cycles ?? 1;
        return Warmed(span, step =>
        {
            var progress = span.Progress(step);
            return progress >= 1.0 ? 0.0 : Math.Max(0.0, 0.5 * (1.0 + Math.Cos(Math.PI * (cycles * progress % 1.0))));
        });
    }

    private static Func<int, double> Polynomial(ScheduleSpan span)
    {
        var (end, power, start) = (span.Options.EndLearningRate ?? 1e-7, span.Options.Power ?? 1.0, span.BaseLearningRate);
        if (start <= end)
            throw new UserErrorException(FormattableString.Invariant(
                $"lr_scheduler_kwargs.lr_end: {end} must be below learning_rate ({start})."));
        return Warmed(span, step =>
        {
            if (step > span.Total)
                return end / start;
            var remaining = 1 - (double)(step - span.Warmup) / (span.Total - span.Warmup);
            return ((start - end) * Math.Pow(remaining, power) + end) / start;
        });
    }

    // transformers' factory hands inverse_sqrt no timescale: the option is accepted and has no effect there, nor here.
    private static Func<int, double> InverseSquareRoot(ScheduleSpan span)
    {
        double timescale = span.Warmup > 0 ? span.Warmup : 10_000;
        return Warmed(span, step => 1.0 / Math.Sqrt((step + (timescale - span.Warmup)) / timescale));
    }

    private static Func<int, double> WarmupStableDecay(ScheduleSpan span)
    {
        var options = span.Options;
        var decay = options.DecaySteps
            ?? throw new UserErrorException("lr_scheduler_kwargs.num_decay_steps: warmup_stable_decay needs it.");
        var stable = options.StableSteps ?? span.Total - span.Warmup - decay;
        var floor = options.MinLearningRateRatio ?? 0;
        Check("warmup_type", options.WarmupType);
        Check("decay_type", options.DecayType);
        double Lifted(double factor) => Math.Max(0.0, factor * (1.0 - floor) + floor);
        return step =>
        {
            if (step < span.Warmup)
                return Lifted(Rise(options.WarmupType, span.WarmupProgress(step)));
            if (step < span.Warmup + stable)
                return 1.0;
            if (step >= span.Warmup + stable + decay)
                return floor;
            return Lifted(Fall(options.DecayType, (double)(step - span.Warmup - stable) / Math.Max(1, decay), options.Cycles ?? 0.5));
        };
    }

    private static void Check(string key, string type)
    {
        if (type is not ("linear" or "cosine" or "1-sqrt"))
            throw new UserErrorException($"lr_scheduler_kwargs.{key}: found {type}, expected linear, cosine or 1-sqrt.");
    }

    private static double Rise(string type, double progress) => type switch
    {
        "cosine" => 0.5 * (1.0 - Math.Cos(Math.PI * progress)),
        "1-sqrt" => 1.0 - Math.Sqrt(1.0 - progress),
        _ => progress,
    };

    private static double Fall(string type, double progress, double cycles) => type switch
    {
        "linear" => 1.0 - progress,
        "1-sqrt" => 1.0 - Math.Sqrt(progress),
        _ => 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * progress)),
    };
}
