using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Training.Planning;

/// <summary>The plan of a run that is about to begin. One that cannot fit is refused, unless its recipe wants it all the same.</summary>
public sealed class RunForecast : IRunForecast
{
    // A prediction may be a tenth too high: what may just fit is not refused.
    private const double Certainty = 0.9;
    private const long LeastProgram = 100 << 20;

    private RunForecast() { }

    /// <summary>The one there is.</summary>
    public static RunForecast Instance { get; } = new();

    /// <inheritdoc/>
    public void Refuse(RunOptions options)
    {
        if (!options.Checkpoints.CheckMemory)
            return;
        var config = RunPlan.ConfigOf(options, RunTokenizer.Load(options));
        var (needed, limit) = (Planner.AtLeast(options, config).Sum(part => part.Bytes), ResidentMemory.Limit());
        if (needed > limit)
            throw Refused(options, $"at least {PlanText.Bytes(needed)} for weights, optimizer and gradients, "
                + $"{PlanText.Bytes(limit)} there: too large");
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, string Value)> Facts(RunOptions options, RunParts parts, ITrainingProgress progress)
    {
        if (!options.Checkpoints.CheckMemory)
            return [];
        progress.Advance("trying a step of a part of the model", 0, 1);
        var model = parts.Model.Model;
        var plan = Planner.Of(options, model.Config, StepLoad.Of(options, parts.Data), ResidentMemory.Limit());
        AllocatorSettings.GiveBack();
        var loaded = model.Slots.SelectMany(slot => slot.Weight.Parameters).Sum(parameter => parameter.Value.ByteCount)
            + model.Slots.SelectMany(slot => slot.Weight.Quantized).SelectMany(codes => codes.Parts).Sum(part => part.ByteCount)
            + plan.Of(MemoryOwner.Reference);
        plan = plan.Beside(Math.Max(LeastProgram, ResidentMemory.Current() + RunPlan.RunBuffers - loaded));
        return plan.Peak * Certainty <= plan.Limit ? [("memory", PlanText.Memory(plan)), ("time", PlanText.Time(plan))]
            : throw Refused(options, PlanText.Memory(plan));
    }

    private static UserErrorException Refused(RunOptions options, string why) => new(
        $"{options.Checkpoints.OutputDirectory}: the run needs {why}. 'handbook plan' with the same recipe says what other settings would "
        + "need; check_memory: false tries it all the same.");
}
