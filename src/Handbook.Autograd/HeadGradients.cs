using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Which gradients of the head are wanted, and the sums once <see cref="Allocate"/> made them.</summary>
internal readonly struct HeadGradients
{
    private readonly bool hidden;
    private readonly bool weight;
    private readonly bool bias;

    internal HeadGradients(bool hidden, bool weight, bool bias) => (this.hidden, this.weight, this.bias) = (hidden, weight, bias);

    internal bool Any => hidden || weight || bias;

    internal bool WantsHidden => hidden;

    internal bool WantsWeight => weight;

    /// <summary>The weight's gradient stays float32: more will be added to it.</summary>
    internal bool KeepsWeightSum { get; init; }

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
        Weight = weight ? Tensor.Zeros(call.Weight.Shape, call.Wide, call.Weight.Device) : null,
        Bias = bias ? Tensor.Zeros(call.Bias!.Shape, call.Wide, call.Bias.Device) : null,
    };

    /// <summary>The sums in the operands' types, handed to the scope around <paramref name="scope"/>.</summary>
    internal HeadGradients Finish(HeadCall call, TensorScope scope) => this with
    {
        Hidden = Hidden is null ? null : scope.Keep(Hidden.To(call.Hidden.DType)),
        Weight = Weight is null ? null : scope.Keep(KeepsWeightSum ? Weight.Alias() : Weight.To(call.Weight.DType)),
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
            Weight = wanted.weight ? saved[next++] : null,
            Bias = wanted.bias ? saved[next] : null,
        };
    }

    /// <summary>Multiplied by the gradient that reached the loss; the same tensors when that is 1.</summary>
    internal HeadGradients ScaledBy(Tensor upstream)
    {
        var factor = upstream.Item();
        return this with { Hidden = Scale(Hidden, factor), Weight = Scale(Weight, factor), Bias = Scale(Bias, factor) };
    }

    internal void AccumulateInto(Variable hiddenVariable, Variable weightVariable, Variable? biasVariable)
    {
        if (Hidden is not null)
            hiddenVariable.Accumulate(Hidden);
        if (Weight is not null)
            AccumulateWeight(weightVariable, Weight);
        if (Bias is not null)
            biasVariable!.Accumulate(Bias);
    }

    private void AccumulateWeight(Variable variable, Tensor gradient)
    {
        if (KeepsWeightSum && variable is Parameter parameter)
            parameter.AccumulateSum(gradient);
        else
            variable.Accumulate(gradient);
    }

    private static Tensor? Scale(Tensor? gradient, double factor) =>
        gradient is null ? null : factor == 1 ? gradient.Alias() : gradient.Multiply(factor);
}
