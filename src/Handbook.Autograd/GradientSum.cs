using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>The gradient of a parameter: its first contribution as it came, then a sum in float32.</summary>
internal sealed class GradientSum(Parameter owner) : GradientSink
{
    // The first contribution may share its data with another variable's gradient, so only a sum made here is added into.
    private Tensor? sum;

    /// <summary>What has come so far; null before any contribution.</summary>
    internal Tensor? Value { get; private set; }

    internal override bool Gathers => owner.IsShared || Value is not null;

    internal override Tensor? Sum
    {
        get
        {
            if (Value is not null && !ReferenceEquals(Value, sum))
                Put(sum = Value.DType is DType.Float32 or DType.Float64 ? Value.Clone() : Value.To(DType.Float32));
            return Value;
        }
    }

    internal override void Add(Tensor contribution)
    {
        if (!owner.IsTrained)
        {
            contribution.Dispose();
            return;
        }
        if (Value is null)
        {
            Value = TensorScope.Detach(contribution);
            return;
        }
        if (contribution.DType == DType.Float64)
            Put(Value.Add(contribution));
        else
            Accumulation.AddInPlace(Sum!, contribution);
        contribution.Dispose();
    }

    internal override void AddSum(Tensor contribution)
    {
        if (owner.IsTrained && Value is null)
            Value = sum = TensorScope.Detach(contribution);
        else
            Add(contribution);
    }

    internal void Clear()
    {
        Value?.Dispose();
        (Value, sum) = (null, null);
    }

    private void Put(Tensor next)
    {
        Value!.Dispose();
        Value = TensorScope.Detach(next);
    }
}
