using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// An update rule over all trained parameters of a model. A float32 (or float64) parameter is updated in place. A bfloat16 or
/// float16 one has a float32 master copy that is updated and then rounded into it; or, with stochastic rounding, no copy: the
/// bfloat16 weights themselves are updated, in float32 arithmetic, and rounded at random. Running averages are float32 (float64 for
/// float64 parameters), or codes of 8 bits that are decoded for their update.
/// </summary>
public sealed class Optimizer : IOptimizer
{
    private readonly OptimizerSlot[] slots;
    private readonly OptimizerMemory memory;
    private readonly ulong seed;

    /// <summary>Starts from the parameters' present values.</summary>
    /// <param name="rule">The formula.</param>
    /// <param name="parameters">In an order that never changes: it decides the random bits. Frozen ones are left alone.</param>
    /// <param name="settings">The rest; null for defaults.</param>
    public Optimizer(IUpdateRule rule, IReadOnlyList<Parameter> parameters, OptimizerSettings? settings = null)
    {
        settings ??= new OptimizerSettings();
        seed = settings.Seed;
        using var scope = new TensorScope();
        slots =
        [
            .. parameters.Where(one => one.RequiresGrad)
                .Select((parameter, index) => settings.Slot(parameter, index, rule.Of(parameter))),
        ];
        memory = new OptimizerMemory(slots, settings.ScalesLoss);
    }

    /// <inheritdoc/>
    public long StepCount => memory.StepCount;

    /// <inheritdoc/>
    public LossScale LossScale => memory.LossScale;

    /// <inheritdoc/>
    public void Step(double learningRate, double gradientFactor = 1)
    {
        memory.StepCount++;
        foreach (var slot in slots)
        {
            if (slot.Parameter.Grad is not { } gradient)
                continue;
            using var scope = new TensorScope();
            var numbers = slot.Rule.Numbers(learningRate, slot.WeightDecay, StepCount);
            var rounding = new StochasticRounding(seed, StepCount, slot.Index);
            if (slot.Rule is IFusedRule fused && Fuses(slot, gradient))
                fused.ApplyFused(new FusedUpdate(slot.Weights, slot.Master is null ? null : slot.Parameter.Value, gradient.Contiguous(),
                    slot.Averages, gradientFactor, numbers, rounding));
            else
                ApplyPlain(slot, gradient, gradientFactor, numbers, rounding);
        }
    }

    /// <inheritdoc/>
    public Tensor Weights(Parameter parameter) =>
        Array.Find(slots, slot => ReferenceEquals(slot.Parameter, parameter))?.Weights ?? parameter.Value;

    /// <inheritdoc/>
    public void WeightsChanged() => Array.ForEach(slots, slot => slot.RoundMaster());

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() => memory.State();

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find)
    {
        memory.Load(find);
        WeightsChanged();
    }

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();

    private static bool Fuses(OptimizerSlot slot, Tensor gradient) =>
        KernelTable.Of(Operation.Update, gradient.Device.Kind, gradient.DType) != Implementation.Plain
        && KernelTable.Runs(Operation.Update, slot.Parameter.Value, slot.Weights);

    private static void ApplyPlain(OptimizerSlot slot, Tensor gradient, double factor, UpdateNumbers numbers, StochasticRounding rounding)
    {
        var value = slot.Parameter.Value;
        var scaled = gradient.To(OptimizerSlot.SumsOf(value)).Multiply(factor);
        if (slot.Master is null && value.DType == DType.BFloat16)
        {
            var wide = value.To(DType.Float32);
            slot.Move(wide, scaled, numbers);
            value.CopyFrom(rounding.Round(wide));
            return;
        }
        slot.Move(slot.Weights, scaled, numbers);
        slot.RoundMaster();
    }
}
