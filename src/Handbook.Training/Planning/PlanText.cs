using System.Globalization;
using Handbook.Training.Progress;

namespace Handbook.Training.Planning;

/// <summary>A plan in words.</summary>
public static class PlanText
{
    /// <summary>What an owner of memory is called.</summary>
    public static string Name(MemoryOwner owner) => owner switch
    {
        MemoryOwner.Weights => "weights",
        MemoryOwner.Reference => "reference model",
        MemoryOwner.Optimizer => "optimizer and master weights",
        MemoryOwner.Gradients => "gradients",
        MemoryOwner.Activations => "activations",
        MemoryOwner.Temporaries => "head, loss and temporaries",
        _ => "program, libtorch, data",
    };

    /// <summary>Such as <c>3.42 GB</c> or <c>12.5 MB</c>.</summary>
    public static string Bytes(long bytes) => bytes >= 95_000_000
        ? (bytes / 1e9).ToString("0.00", CultureInfo.InvariantCulture) + " GB"
        : (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB";

    /// <summary>Such as <c>13.5</c>; a dash for what is not known.</summary>
    public static string Seconds(double? seconds) =>
        seconds is { } number ? number.ToString(number < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture) : "-";

    /// <summary>Whether it fits.</summary>
    public static string Memory(StepPlan plan) =>
        $"{(plan.IsWhole ? "about" : "more than")} {Bytes(plan.Peak)} at its peak, {Bytes(plan.Limit)} there: "
        + $"{(plan.IsTooLarge ? "too large" : plan.IsWhole ? "it fits" : "too large to be tried here, so nobody knows whether it fits")}";

    /// <summary>How long it takes.</summary>
    public static string Time(StepPlan plan)
    {
        if (plan.StepSeconds is not { } seconds)
            return "the time of a step is not known: it is too large to be tried here";
        var whole = plan.RunSeconds is { } all
            ? string.Create(CultureInfo.InvariantCulture, $"; {Quantity.Of(plan.Load.Steps!.Value, "step")}: ")
                + ProgressText.Time(TimeSpan.FromSeconds(Math.Min(all, TimeSpan.MaxValue.TotalSeconds / 2))) : "";
        return $"about {Seconds(seconds)} s a step, {ProgressText.Count(plan.TokenRate!.Value)} tok/s{whole}";
    }
}
