using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// An update rule over all trained parameters of a model. A float32 (or float64) parameter is updated in place. A bfloat16 or
/// float16 one has a float32 master copy that is updated and then rounded into it; or, with stochastic rounding, no copy: the
/// bfloat16 weights themselves are updated, in float32 arithmetic, and rounded at random. Running averages are float32 in
/// every case (float64 for float64 parameters).
/// </summary>
public sealed class Optimizer : IOptimizer
{
    private const string StepName = "step";

    private readonly IUpdateRule rule;
    private readonly Slot[] slots;
    private readonly bool stochasticRounding;
    private readonly ulong seed;
    private readonly Tensor step;

    /// <summary>Starts from the parameters' present values.</summary>
    /// <param name="rule">The formula.</param>
    /// <param name="parameters">In an order that never changes: it decides the random bits. Frozen ones are left alone.</param>
    /// <param name="weightDecay">Decoupled decay of those that <see cref="WeightDecayRule"/> names.</param>
    /// <param name="stochasticRounding">Keep no master copy of bfloat16 parameters.</param>
    /// <param name="seed">Seed of stochastic rounding.</param>
    public Optimizer(
        IUpdateRule rule, IReadOnlyList<Parameter> parameters, double weightDecay = 0, bool stochasticRounding = false, ulong seed = 0)
    {
        this.rule = rule;
        this.stochasticRounding = stochasticRounding;
        this.seed = seed;
        using var scope = new TensorScope();
        step = TensorScope.Detach(Tensor.Zeros([1], DType.Int64));
        slots = [.. parameters.Where(one => one.RequiresGrad).Select((parameter, index) => MakeSlot(parameter, index, weightDecay))];
    }

    /// <inheritdoc/>
    public long StepCount
    {
        get => step.Span<long>()[0];
        private set => step.Span<long>()[0] = value;
    }

    /// <inheritdoc/>
    public void Step(double learningRate, double gradientFactor = 1)
    {
        StepCount++;
        foreach (var slot in slots)
        {
            if (slot.Parameter.Grad is not { } gradient)
                continue;
            using var scope = new TensorScope();
            var numbers = rule.Numbers(learningRate, slot.WeightDecay, StepCount);
            var rounding = new StochasticRounding(seed, StepCount, slot.Index);
            if (Fuses(slot, gradient))
                rule.ApplyFused(new FusedUpdate(slot.Weights, slot.Master is null ? null : slot.Parameter.Value, gradient.Contiguous(),
                    slot.State, gradientFactor, numbers, rounding));
            else
                ApplyPlain(slot, gradient, gradientFactor, numbers, rounding);
        }
    }

    /// <inheritdoc/>
    public Tensor Weights(Parameter parameter) =>
        Array.Find(slots, slot => ReferenceEquals(slot.Parameter, parameter))?.Weights ?? parameter.Value;

    /// <inheritdoc/>
    public void WeightsChanged()
    {
        foreach (var slot in slots)
        {
            if (slot.Master is not null)
                slot.Parameter.Value.CopyFrom(slot.Master);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State()
    {
        yield return (StepName, step);
        foreach (var slot in slots)
        {
            if (slot.Master is not null)
                yield return ($"{slot.Parameter.Name}.master", slot.Master);
            for (var i = 0; i < slot.State.Length; i++)
                yield return ($"{slot.Parameter.Name}.{rule.StateNames[i]}", slot.State[i]);
        }
    }

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find)
    {
        foreach (var (name, tensor) in State())
        {
            using var scope = new TensorScope();
            var saved = find(name) ?? throw new UserErrorException($"The saved optimizer state has no {name}; {tensor} is expected.");
            if (!saved.Shape.SequenceEqual(tensor.Shape))
                throw new UserErrorException($"The saved optimizer state has {name} as {saved}; {tensor} is expected.");
            tensor.CopyFrom(saved);
        }
        WeightsChanged();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, tensor) in State())
            tensor.Dispose();
    }

    private Slot MakeSlot(Parameter parameter, int index, double weightDecay)
    {
        var value = parameter.Value;
        var sums = value.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var needsMaster = value.DType != sums && !(stochasticRounding && value.DType == DType.BFloat16);
        var state = new Tensor[rule.StateNames.Count];
        for (var i = 0; i < state.Length; i++)
            state[i] = TensorScope.Detach(Tensor.Zeros(value.Shape, sums, value.Device));
        return new Slot(
            parameter,
            index,
            WeightDecayRule.Applies(parameter.Name) ? weightDecay : 0,
            needsMaster ? TensorScope.Detach(value.To(sums)) : null,
            state);
    }

    private static bool Fuses(Slot slot, Tensor gradient) =>
        KernelTable.Of(Operation.Update, gradient.Device.Kind, gradient.DType) != Implementation.Plain
        && KernelTable.Runs(Operation.Update, slot.Parameter.Value, slot.Weights);

    private void ApplyPlain(Slot slot, Tensor gradient, double factor, UpdateNumbers numbers, StochasticRounding rounding)
    {
        var value = slot.Parameter.Value;
        var sums = value.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var scaled = gradient.To(sums).Multiply(factor);
        if (slot.Master is null && value.DType == DType.BFloat16)
        {
            var wide = value.To(DType.Float32);
            rule.ApplyPlain(wide, scaled, slot.State, numbers);
            value.CopyFrom(rounding.Round(wide));
            return;
        }
        rule.ApplyPlain(slot.Weights, scaled, slot.State, numbers);
        if (slot.Master is not null)
            value.CopyFrom(slot.Master);
    }

    private sealed record Slot(Parameter Parameter, int Index, double WeightDecay, Tensor? Master, Tensor[] State)
    {
        internal Tensor Weights => Master ?? Parameter.Value;
    }
}
