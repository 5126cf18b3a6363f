using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Which gradients of the head are wanted, and the sums once <see cref="Allocate"/> made them.</summary>
internal readonly struct HeadGradients
{
    private readonly bool hidden;
    private readonly GradientSink? weight;
    private readonly GradientSink? bias;

    internal HeadGradients(bool hidden, GradientSink? weight, GradientSink? bias) =>
        (this.hidden, this.weight, this.bias, keepsWeightSum) = (hidden, weight, bias, weight is { Gathers: true });

    // Asked once: what the weight has gathered by the time the gradient is handed over is another question.
    private readonly bool keepsWeightSum;

    internal bool Any => hidden || weight is not null || bias is not null;

    internal bool WantsHidden => hidden;

    internal bool WantsWeight => weight is not null;

    /// <summary>A float32 sum that the weight's gradient may be added to on the spot; none is then handed back. Null for none.</summary>
    internal Tensor? WeightSum { get; init; }

    /// <summary>[tokens, width], wide while summed; rows without a label are zero.</summary>
    internal Tensor? Hidden { get; init; }

    /// <summary>[vocabulary, width], wide while summed.</summary>
    internal Tensor? Weight { get; init; }

    /// <summary>[vocabulary], wide while summed.</summary>
    internal Tensor? Bias { get; init; }

    internal HeadGradients Allocate(HeadCall call) => this with
    {
        Hidden = hidden ? Tensor.Zeros(call.Hidden.Shape, call.Wide, call.Hidden.Device) : null,
        Weight = weight is not null ? Tensor.Zeros(call.Weight.Shape, call.Wide, call.Weight.Device) : null,
        Bias = bias is not null ? Tensor.Zeros(call.Bias!.Shape, call.Wide, call.Bias.Device) : null,
    };

    /// <summary>The sums in the operands' types, handed to the scope around <paramref name="scope"/>.</summary>
    internal HeadGradients Finish(HeadCall call, TensorScope scope) => this with
    {
        Hidden = Hidden is null ? null : scope.Keep(Hidden.To(call.Hidden.DType)),
        Weight = Weight is null ? null : scope.Keep(keepsWeightSum ? Weight.Alias() : Weight.To(call.Weight.DType)),
        Bias = Bias is null ? null : scope.Keep(Bias.To(call.Bias!.DType)),
    };

    /// <summary>The gradients that are there, in the order that <see cref="From"/> reads.</summary>
    internal Tensor[] Saved() => new[] { Hidden, Weight, Bias }.OfType<Tensor>().ToArray();

    internal static HeadGradients From(HeadGradients wanted, Tensor[] saved)
    {
        var next = 0;
        return wanted with
        {
            Hidden = wanted.hidden ? saved[next++] : null,
            Weight = wanted.weight is not null ? saved[next++] : null,
            Bias = wanted.bias is not null ? saved[next] : null,
        };
    }

    /// <summary>Multiplied by the gradient that reached the loss; the same tensors when that is 1.</summary>
    internal HeadGradients ScaledBy(Tensor upstream)
    {
        // On the host a look at the factor is free and spares the multiplication by 1; elsewhere it would be a wait.
        var factor = upstream.IsCpu ? upstream.Item() : (double?)null;
        Tensor? Scaled(Tensor? gradient) => gradient is null ? null
            : factor == 1 ? gradient.Alias()
            : factor is { } number ? gradient.Multiply(number) : gradient.Multiply(upstream);
        return this with { Hidden = Scaled(Hidden), Weight = Scaled(Weight), Bias = Scaled(Bias) };
    }

    /// <summary>Hands the gradients to whom they belong.</summary>
    internal void AddTo(Variable hiddenVariable)
    {
        if (Hidden is not null)
            hiddenVariable.Accumulate(Hidden);
        if (Weight is not null && keepsWeightSum)
            weight!.AddSum(Weight);
        else if (Weight is not null)
            weight!.Add(Weight);
        if (Bias is not null)
            bias!.Add(Bias);
    }
}
