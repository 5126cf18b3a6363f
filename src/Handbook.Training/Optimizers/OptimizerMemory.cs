using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>What an optimizer remembers from step to step, as checkpoints name it: updates done, master copies, running averages.</summary>
/// <param name="slots">What it keeps of each trained parameter.</param>
/// <param name="scalesLoss">Whether losses are scaled, by a factor that is found while training.</param>
internal sealed class OptimizerMemory(IReadOnlyList<OptimizerSlot> slots, bool scalesLoss) : ISavedState, IDisposable
{
    private const string StepName = "step";

    private readonly Tensor step = TensorScope.Detach(Tensor.Zeros([1], DType.Int64));

    /// <summary>Updates done.</summary>
    internal long StepCount
    {
        get => step.Span<long>()[0];
        set => step.Span<long>()[0] = value;
    }

    /// <summary>What losses are multiplied by.</summary>
    internal LossScale LossScale { get; } = scalesLoss ? LossScale.Dynamic() : LossScale.One;

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State()
    {
        yield return (StepName, step);
        foreach (var entry in LossScale.State())
            yield return entry;
        foreach (var slot in slots)
        {
            if (slot.Master is not null)
                yield return ($"{slot.Parameter.Name}.master", slot.Master);
            foreach (var (name, tensor) in slot.Averages.SelectMany(average => average.State()))
                yield return ($"{slot.Parameter.Name}.{name}", tensor);
        }
    }

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find)
    {
        foreach (var (name, tensor) in State())
        {
            using var scope = new TensorScope();
            var saved = find(name) ?? throw new UserErrorException($"The saved optimizer state has no {name}; {tensor} is expected.");
            if (!saved.Shape.SequenceEqual(tensor.Shape) || saved.DType != tensor.DType)
                throw new UserErrorException($"The saved optimizer state has {name} as {saved}; {tensor} is expected.");
            tensor.CopyFrom(saved);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, tensor) in State())
            tensor.Dispose();
    }
}
