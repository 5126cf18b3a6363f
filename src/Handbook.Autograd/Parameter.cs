using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A named leaf that training changes (or that is frozen). Its gradient stays in the value's type while one contribution is
/// all there is, and is summed in float32 from the second on, so that gradient accumulation loses nothing to bfloat16.
/// </summary>
public sealed class Parameter : Variable
{
    // The first contribution may share its data with another variable's gradient, so only a sum made here is added into.
    private Tensor? sum;

    /// <summary>Wraps a weight under its checkpoint name.</summary>
    public Parameter(string name, Tensor value, bool requiresGrad = true) : base(TensorScope.Detach(value), requiresGrad) => Name = name;

    /// <summary>Name in the checkpoint, such as <c>model.layers.0.mlp.up_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// True for a weight that is used in several places (a tied head): its gradient is a float32 sum from the first contribution
    /// on, where an operation has it as one.
    /// </summary>
    public bool IsShared { get; set; }

    /// <summary>True when more contributions are to come than the next one, or some have come.</summary>
    internal bool GathersGradients => IsShared || Grad is not null;

    /// <summary>Puts another tensor of the same shape in place of the value, which is freed.</summary>
    public void Replace(Tensor value)
    {
        if (!value.Shape.SequenceEqual(Value.Shape))
            throw new ArgumentException($"{Name}: {value} cannot replace {Value}.", nameof(value));
        Value.Dispose();
        Value = TensorScope.Detach(value);
    }

    /// <inheritdoc/>
    public override void Accumulate(Tensor gradient)
    {
        if (!RequiresGrad || Grad is null || gradient.DType == DType.Float64)
        {
            base.Accumulate(gradient);
            return;
        }
        Kernels.Accumulation.AddInPlace(SumInSingle()!, gradient);
        gradient.Dispose();
    }

    /// <summary>Adds a float32 contribution that belongs to nobody else, and takes it over.</summary>
    internal void AccumulateSum(Tensor gradient)
    {
        if (RequiresGrad && Grad is null)
            Grad = sum = TensorScope.Detach(gradient);
        else
            Accumulate(gradient);
    }

    /// <summary>The gradient so far as a float32 sum that may be added into; null before any contribution.</summary>
    internal Tensor? SumInSingle()
    {
        if (Grad is not null && !ReferenceEquals(Grad, sum))
        {
            sum = TensorScope.Detach(Grad.DType == DType.Float32 ? Grad.Clone() : Grad.To(DType.Float32));
            Grad.Dispose();
            Grad = sum;
        }
        return Grad;
    }
}
