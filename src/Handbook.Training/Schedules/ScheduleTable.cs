namespace Handbook.Training.Schedules;

/// <summary>What a schedule is stretched over.</summary>
internal readonly record struct ScheduleSpan(double BaseLearningRate, int Warmup, int Total)
{
    /// <summary>Share of the warm-up that lies behind <paramref name="step"/>.</summary>
    public double WarmupProgress(int step) => (double)step / Math.Max(1, Warmup);

    /// <summary>Share of the steps after the warm-up that lies behind <paramref name="step"/>.</summary>
    public double Progress(int step) => (double)(step - Warmup) / Math.Max(1, Total - Warmup);
}

/// <summary>A schedule's argument names and the function from arguments and span to the factor on the base learning rate.</summary>
internal sealed record ScheduleEntry(
    IReadOnlyList<string> Arguments, Func<ScheduleArguments, ScheduleSpan, Func<int, double>> Build);

/// <summary>
/// Every schedule that recipes may name. Formulas follow <c>transformers.optimization</c> (its <c>get_scheduler</c> as the
/// Trainer calls it), the order of floating-point operations included, so that logged learning rates agree to the last digits.
/// </summary>
internal static class ScheduleTable
{
    /// <summary>By the name that recipes use.</summary>
    public static IReadOnlyDictionary<string, ScheduleEntry> Entries { get; } = new Dictionary<string, ScheduleEntry>(StringComparer.Ordinal)
    {
        ["linear"] = new([], static (_, span) => Warmed(span, step =>
            Math.Max(0.0, (double)(span.Total - step) / Math.Max(1, span.Total - span.Warmup)))),
        ["cosine"] = new(["num_cycles"], static (arguments, span) => Cosine(span, arguments.Number("num_cycles") ?? 0.5, 0)),
        ["cosine_with_restarts"] = new(["num_cycles"], CosineWithRestarts),
        ["polynomial"] = new(["lr_end", "power"], Polynomial),
        ["constant"] = new([], static (_, _) => static _ => 1.0),
        ["constant_with_warmup"] = new([], static (_, span) =>
            step => step < span.Warmup ? step / Math.Max(1.0, span.Warmup) : 1.0),
        ["inverse_sqrt"] = new(["timescale"], InverseSquareRoot),
        ["cosine_with_min_lr"] = new(["min_lr", "min_lr_rate", "num_cycles"], static (arguments, span) =>
            Cosine(span, arguments.Number("num_cycles") ?? 0.5, Floor(arguments, span))),
        ["cosine_warmup_with_min_lr"] = new(["min_lr", "min_lr_rate", "num_cycles", "warmup_lr_rate"], CosineFromFirstStep),
        ["warmup_stable_decay"] = new(
            ["num_decay_steps", "num_stable_steps", "warmup_type", "decay_type", "min_lr_ratio", "num_cycles"], WarmupStableDecay),
    };

    private static Func<int, double> Warmed(ScheduleSpan span, Func<int, double> after) =>
        step => step < span.Warmup ? span.WarmupProgress(step) : after(step);

    private static Func<int, double> Cosine(ScheduleSpan span, double cycles, double floor) => Warmed(span, step =>
    {
        var factor = 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * span.Progress(step)));
        return Math.Max(0.0, floor == 0 ? factor : factor * (1 - floor) + floor);
    });

    private static Func<int, double> CosineWithRestarts(ScheduleArguments arguments, ScheduleSpan span)
    {
        var cycles = arguments.Whole("num_cycles") ?? 1;
        return Warmed(span, step =>
        {
            var progress = span.Progress(step);
            return progress >= 1.0 ? 0.0 : Math.Max(0.0, 0.5 * (1.0 + Math.Cos(Math.PI * (cycles * progress % 1.0))));
        });
    }

    private static Func<int, double> Polynomial(ScheduleArguments arguments, ScheduleSpan span)
    {
        var (end, power, start) = (arguments.Number("lr_end") ?? 1e-7, arguments.Number("power") ?? 1.0, span.BaseLearningRate);
        if (start <= end)
            throw new UserErrorException($"lr_scheduler_kwargs.lr_end: {end:R} must be below learning_rate ({start:R}).");
        return Warmed(span, step =>
        {
            if (step > span.Total)
                return end / start;
            var remaining = 1 - (double)(step - span.Warmup) / (span.Total - span.Warmup);
            return ((start - end) * Math.Pow(remaining, power) + end) / start;
        });
    }

    // transformers' factory hands inverse_sqrt no timescale: the argument is accepted and has no effect there, nor here.
    private static Func<int, double> InverseSquareRoot(ScheduleArguments arguments, ScheduleSpan span)
    {
        _ = arguments.Number("timescale");
        double timescale = span.Warmup > 0 ? span.Warmup : 10_000;
        return Warmed(span, step => 1.0 / Math.Sqrt((step + (timescale - span.Warmup)) / timescale));
    }

    private static double Floor(ScheduleArguments arguments, ScheduleSpan span) =>
        (arguments.Number("min_lr"), arguments.Number("min_lr_rate")) switch
        {
            (null, null) => throw arguments.Missing("min_lr_rate"),
            ({ }, { }) => throw new UserErrorException("lr_scheduler_kwargs: give min_lr or min_lr_rate, not both."),
            ({ } rate, null) => rate / span.BaseLearningRate,
            (null, { } share) => share,
        };

    private static Func<int, double> CosineFromFirstStep(ScheduleArguments arguments, ScheduleSpan span)
    {
        var (floor, cycles, first) = (Floor(arguments, span), arguments.Number("num_cycles") ?? 0.5, arguments.Number("warmup_lr_rate"));
        return step =>
        {
            if (step < span.Warmup)
            {
                return first is { } start
                    ? start + (1.0 - start) * step / Math.Max(1, span.Warmup - 1)
                    : (step + 1.0) / Math.Max(1.0, span.Warmup);
            }
            var progress = (step - span.Warmup + 1.0) / Math.Max(1.0, span.Total - span.Warmup);
            return Math.Max(0.0, 0.5 * (1.0 + Math.Cos(Math.PI * cycles * 2.0 * progress)) * (1 - floor) + floor);
        };
    }

    private static Func<int, double> WarmupStableDecay(ScheduleArguments arguments, ScheduleSpan span)
    {
        var decay = arguments.Whole("num_decay_steps") ?? throw arguments.Missing("num_decay_steps");
        var stable = arguments.Whole("num_stable_steps") ?? span.Total - span.Warmup - decay;
        var floor = arguments.Number("min_lr_ratio") ?? 0;
        var cycles = arguments.Number("num_cycles") ?? 0.5;
        var warmupType = arguments.OneOf("warmup_type", "linear", "cosine", "1-sqrt");
        var decayType = arguments.OneOf("decay_type", "cosine", "linear", "1-sqrt");
        double Lifted(double factor) => Math.Max(0.0, factor * (1.0 - floor) + floor);
        return step =>
        {
            if (step < span.Warmup)
                return Lifted(Rise(warmupType, span.WarmupProgress(step)));
            if (step < span.Warmup + stable)
                return 1.0;
            if (step >= span.Warmup + stable + decay)
                return floor;
            return Lifted(Fall(decayType, (double)(step - span.Warmup - stable) / Math.Max(1, decay), cycles));
        };
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
