using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A dense weight under its checkpoint name: a leaf that training changes, or that is frozen. Its gradient stays in the value's type
/// while one contribution is all there is, and is summed in float32 from the second on, so that gradient accumulation loses nothing to
/// bfloat16.
/// </summary>
public sealed class Parameter : Weight
{
    private readonly GradientSum gradient;

    /// <summary>
    /// Raised in the backward pass when every recorded use of the weight has contributed, in backward order: where a gradient can be
    /// sent, applied or put away while the rest of the pass still runs. A later micro-batch may bring more.
    /// </summary>
    public event Action? GradientCompleted
    {
        add => gradient.Completed += value;
        remove => gradient.Completed -= value;
    }

    /// <summary>Takes a tensor over under its checkpoint name.</summary>
    public Parameter(string name, Tensor value, bool requiresGrad = true)
    {
        Name = name;
        Value = TensorScope.Detach(value);
        IsTrained = requiresGrad;
        gradient = new GradientSum(this);
    }

    /// <summary>Name in the checkpoint, such as <c>model.layers.0.mlp.up_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The data.</summary>
    public Tensor Value { get; private set; }

    /// <summary>Gradient of the loss, of the value's shape; null before any contribution.</summary>
    public Tensor? Grad => gradient.Value;

    /// <summary>Whether it is trained; may change between steps.</summary>
    public bool IsTrained { get; set; }

    /// <inheritdoc/>
    public override bool RequiresGrad => IsTrained;

    /// <summary>
    /// True for a weight that is used in several places (a tied head): its gradient is a float32 sum from the first contribution
    /// on, where an operation has it as one.
    /// </summary>
    public bool IsShared { get; set; }

    /// <inheritdoc/>
    public override ReadOnlySpan<long> Shape => Value.Shape;

    /// <inheritdoc/>
    public override DType DType => Value.DType;

    /// <inheritdoc/>
    public override Device Device => Value.Device;

    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => [this];

    internal override GradientSink? Gradient => RequiresGrad ? gradient : null;

    internal override IEnumerable<GradientSink> Sinks => RequiresGrad ? [gradient] : [];

    /// <summary>Puts another tensor of the same shape in place of the value, which is freed.</summary>
    public void Replace(Tensor value)
    {
        if (!value.Shape.SequenceEqual(Value.Shape))
            throw new ArgumentException($"{Name}: {value} cannot replace {Value}.", nameof(value));
        Value.Dispose();
        Value = TensorScope.Detach(value);
    }

    /// <summary>Adds a contribution to the gradient and takes it over.</summary>
    public void Accumulate(Tensor contribution) => gradient.Add(contribution);

    /// <summary>Forgets the gradient.</summary>
    public void ZeroGrad() => gradient.Clear();

    /// <summary>Frees the value (not the gradient: a later backward pass may still bring or need it).</summary>
    public override void Dispose() => Value.Dispose();

    internal override void Return(Tensor value) { }

    private protected override Tensor Acquire() => Value;
}
