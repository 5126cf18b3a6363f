using Handbook.Autograd;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Adapters;

/// <summary>Where the trained tensors of an adapter come from.</summary>
internal abstract class AdapterLeaves
{
    /// <summary>Tells what will be asked for.</summary>
    /// <param name="model">The model.</param>
    /// <param name="targets">What gets a low-rank delta.</param>
    internal virtual void Begin(IPretrainedModel model, IReadOnlyList<AdapterTarget> targets) { }

    /// <summary>A and B of a target.</summary>
    /// <param name="target">The weight and its rank.</param>
    /// <param name="principal">What A and B of PiSSA begin as; null for another beginning.</param>
    internal abstract (Parameter Down, Parameter Up) Pair(AdapterTarget target, (Tensor Down, Tensor Up)? principal);

    /// <summary>Trained lengths of rows.</summary>
    /// <param name="target">The weight.</param>
    /// <param name="norms">Makes the lengths that they have.</param>
    internal abstract Parameter Magnitude(AdapterTarget target, Func<Tensor> norms);

    /// <summary>A copy that is trained whole.</summary>
    /// <param name="slot">The weight.</param>
    /// <param name="name">Name of the copy.</param>
    /// <param name="form">How it stands in files.</param>
    internal abstract Parameter Whole(WeightSlot slot, string name, StoredForm form);

    /// <summary>A tensor as it is stored, in a wider type; null when there is no more to be had.</summary>
    internal abstract Tensor? Exact(Parameter parameter, DType dtype);

    /// <summary>Reports what did not fit.</summary>
    internal virtual void Finish() { }
}

/// <summary>A new adapter: another seed gives another one.</summary>
/// <param name="seed">The seed.</param>
/// <param name="initialization">How it begins.</param>
/// <param name="dtype">Element type that it computes in.</param>
/// <param name="device">Where it is put.</param>
internal sealed class FreshLeaves(ulong seed, LoraInitialization initialization, DType dtype, Device device) : AdapterLeaves
{
    internal override (Parameter Down, Parameter Up) Pair(AdapterTarget target, (Tensor Down, Tensor Up)? principal)
    {
        using var scope = new TensorScope();
        var (down, up) = principal ?? (Down(target), Up(target));
        return (Leaf(target.DownName, down), Leaf(target.UpName, up));
    }

    internal override Parameter Magnitude(AdapterTarget target, Func<Tensor> norms) => Leaf(target.MagnitudeName, norms());

    internal override Parameter Whole(WeightSlot slot, string name, StoredForm form)
    {
        using var lease = slot.Weight.Lease();
        return Leaf(name, lease.Value.Clone());
    }

    internal override Tensor? Exact(Parameter parameter, DType dtype) => null;

    private Parameter Leaf(string name, Tensor value) => new(name, value.To(dtype).To(device).Clone());

    // Of an embedding PEFT zeroes what it looks up in and fills the other with normal numbers.
    private Tensor Down(AdapterTarget target) => target.IsEmbedding
        ? RandomNumbers.Normal(seed, target.DownName, target.DownShape, 1)
        : initialization == LoraInitialization.Gaussian
            ? RandomNumbers.Normal(seed, target.DownName, target.DownShape, 1.0 / target.Rank)
            : RandomNumbers.Uniform(seed, target.DownName, target.DownShape, 1 / Math.Sqrt(target.DownShape[^1]));

    private Tensor Up(AdapterTarget target) => initialization == LoraInitialization.Random
        ? RandomNumbers.Uniform(seed, target.UpName, target.UpShape, 1 / Math.Sqrt(target.Rank))
        : Tensor.Zeros(target.UpShape, DType.Float32);
}

/// <summary>An adapter that a folder holds.</summary>
/// <param name="source">Its tensors.</param>
/// <param name="weights">The file that they are in.</param>
/// <param name="conversion">The settings, and what stands otherwise in the file than they say.</param>
internal sealed class StoredLeaves(CheckpointWeights source, SafetensorsFolder weights, ExpertConversion conversion) : AdapterLeaves
{
    private bool isTurned;

    internal override void Begin(IPretrainedModel model, IReadOnlyList<AdapterTarget> targets) =>
        isTurned = ExpertPairLayout.IsTurned(model, targets, weights, conversion.Config.PeftVersion);

    internal override (Parameter Down, Parameter Up) Pair(AdapterTarget target, (Tensor Down, Tensor Up)? principal) =>
        target.Parameter is { } parameter && conversion.Modules.TryGetValue(parameter, out var modules)
            ? (Leaf(target.DownName, target.DownShape, new StoredForm.ExpertBlocks(modules, IsDown: true)),
                Leaf(target.UpName, target.UpShape, new StoredForm.ExpertBlocks(modules, IsDown: false)))
            : (Leaf(target.DownName, target.DownShape, target.DownForm(isTurned)),
                Leaf(target.UpName, target.UpShape, target.UpForm(isTurned)));

    internal override Parameter Magnitude(AdapterTarget target, Func<Tensor> norms) =>
        Leaf(target.MagnitudeName, target.Shape.AsSpan()[..^1], target.MagnitudeForm);

    internal override Parameter Whole(WeightSlot slot, string name, StoredForm form) => Leaf(name, slot.Weight.Shape, form);

    internal override Tensor? Exact(Parameter parameter, DType dtype) => source.Exact(parameter.Name, parameter.Shape, dtype);

    internal override void Finish() => source.Finish();

    private Parameter Leaf(string name, ReadOnlySpan<long> shape, StoredForm form)
    {
        var leaf = (Parameter)source.Slot(name, shape, Initialization.Zeros, form).Weight;
        // Tensors of a file may share memory; what is trained has its own.
        leaf.Replace(leaf.Value.Clone());
        return leaf;
    }
}
