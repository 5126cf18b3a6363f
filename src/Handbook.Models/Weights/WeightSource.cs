using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>How a weight begins when no checkpoint gives it.</summary>
public enum Initialization
{
    /// <summary>Normal with mean 0 and the configuration's standard deviation.</summary>
    Normal,

    /// <summary>Ones: scales of norms.</summary>
    Ones,

    /// <summary>Zeros: biases, and scales of norms that are stored as an offset.</summary>
    Zeros,
}

/// <summary>Where a model's weights come from: its blocks ask by name and shape while they are built.</summary>
public abstract class WeightSource
{
    private readonly Dictionary<string, StoredForm> forms = [];

    /// <summary>Gives weights of one element type on one device.</summary>
    protected WeightSource(DType dtype, Device device)
    {
        DType = dtype;
        Device = device;
    }

    /// <summary>Element type of the weights, which is the one that the model computes in.</summary>
    public DType DType { get; }

    /// <summary>Where the weights are put.</summary>
    public Device Device { get; }

    /// <summary>How the weights that were asked for stand in files.</summary>
    public WeightMap Map => new(forms);

    /// <summary>A place for a weight, with a dense leaf of the computation in it, under its checkpoint name.</summary>
    /// <param name="name">Name in the checkpoint.</param>
    /// <param name="shape">The shape that the configuration asks for.</param>
    /// <param name="initialization">How it begins when it is new.</param>
    /// <param name="form">How it stands in files; null for as it is.</param>
    /// <param name="role">What it is for.</param>
    public WeightSlot Slot(
        string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm? form = null, WeightRole role = WeightRole.Other)
    {
        form ??= StoredForm.Same.Instance;
        forms.Add(name, form);
        return new WeightSlot(name, Make(name, shape, initialization, form, role), role);
    }

    /// <summary>What stands in a place first: a dense leaf.</summary>
    private protected virtual Weight Make(
        string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form, WeightRole role) =>
        new Parameter(name, Get(name, shape, initialization, form));

    /// <summary>How a weight that was asked for stands in files.</summary>
    protected StoredForm FormOf(string name) => forms[name];

    /// <summary>Reports, all at once, what did not fit. Called when the model is built.</summary>
    /// <exception cref="UserErrorException">Weights were missing, left over, or of another shape.</exception>
    public virtual void Finish() { }

    /// <summary>A tensor of the asked shape that belongs to the caller.</summary>
    protected internal abstract Tensor Get(string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form);
}
