using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>One application of the language-model head: its operands, and which token predicts which label.</summary>
internal sealed record HeadCall
{
    internal HeadCall(
        Tensor hidden, Tensor weight, Tensor? bias, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels, HeadOptions options)
    {
        if (hidden.DimensionCount != 2 || weight.DimensionCount != 2 || hidden.Size(1) != weight.Size(1) || labels.Length != rows.Length)
            throw new ArgumentException(
                $"Head: hidden {hidden}, weight {weight}, {rows.Length} rows and {labels.Length} labels do not fit together.",
                nameof(hidden));
        for (var i = 0; i < labels.Length; i++)
        {
            if (rows[i] < 0 || rows[i] >= hidden.Size(0))
                throw new ArgumentOutOfRangeException(nameof(rows), rows[i],
                    $"Label {i} is predicted from a token outside the {hidden.Size(0)} there are.");
            if (labels[i] < 0 || labels[i] >= weight.Size(0))
                throw new ArgumentOutOfRangeException(nameof(labels), labels[i],
                    $"Label {i} lies outside the vocabulary of {weight.Size(0)}.");
        }
        (Hidden, Weight, Bias, Rows, Labels, Options) = (hidden, weight, bias, rows.ToArray(), labels.ToArray(), options);
    }

    /// <summary>[tokens, width].</summary>
    internal Tensor Hidden { get; init; }

    /// <summary>[vocabulary, width].</summary>
    internal Tensor Weight { get; init; }

    /// <summary>[vocabulary], or null.</summary>
    internal Tensor? Bias { get; init; }

    internal HeadOptions Options { get; }

    /// <summary>The token that each label is predicted from.</summary>
    internal int[] Rows { get; }

    internal int[] Labels { get; }

    /// <summary>Type of logps, losses and sums.</summary>
    internal DType Wide => Hidden.DType == DType.Float64 ? DType.Float64 : DType.Float32;

    /// <summary>The coefficients, one a label, as a tensor.</summary>
    internal Tensor Factors(ReadOnlySpan<float> coefficients)
    {
        if (coefficients.Length == 1)
            return Tensor.Full([Labels.Length], coefficients[0], Wide, Hidden.Device);
        if (coefficients.Length != Labels.Length)
            throw new ArgumentException(
                $"{coefficients.Length} coefficients for {Labels.Length} labels: one for all or one for each is needed.",
                nameof(coefficients));
        using var single = Tensor.From<float>(coefficients, [coefficients.Length], Hidden.Device);
        return single.To(Wide);
    }
}
