using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>One application of the language-model head: its operands and which tokens have a label.</summary>
internal sealed record HeadCall
{
    internal HeadCall(Tensor hidden, Tensor weight, Tensor? bias, ReadOnlySpan<long> labels, HeadOptions options)
    {
        if (hidden.DimensionCount != 2 || weight.DimensionCount != 2 || hidden.Size(1) != weight.Size(1) || labels.Length != hidden.Size(0))
            throw new ArgumentException($"Head: hidden {hidden}, weight {weight} and {labels.Length} labels do not fit together.", nameof(hidden));
        (Hidden, Weight, Bias, Options) = (hidden, weight, bias, options);
        var rows = new List<int>();
        var chosen = new List<long>();
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == LanguageModelHead.IgnoreIndex)
                continue;
            if (labels[i] < 0 || labels[i] >= weight.Size(0))
                throw new ArgumentOutOfRangeException(nameof(labels), labels[i], $"Token {i} has a label outside the vocabulary of {weight.Size(0)}.");
            rows.Add(i);
            chosen.Add(labels[i]);
        }
        (Rows, Labels) = (rows.ToArray(), chosen.ToArray());
    }

    /// <summary>[tokens, width].</summary>
    internal Tensor Hidden { get; init; }

    /// <summary>[vocabulary, width].</summary>
    internal Tensor Weight { get; init; }

    /// <summary>[vocabulary], or null.</summary>
    internal Tensor? Bias { get; init; }

    internal HeadOptions Options { get; }

    /// <summary>Tokens with a label.</summary>
    internal int[] Rows { get; }

    /// <summary>Their labels.</summary>
    internal long[] Labels { get; }

    /// <summary>Type of logps, losses and sums.</summary>
    internal DType Wide => Hidden.DType == DType.Float64 ? DType.Float64 : DType.Float32;

    /// <summary>The coefficients of the labelled tokens, as a tensor.</summary>
    internal Tensor Select(ReadOnlySpan<float> coefficients)
    {
        if (coefficients.Length != 1 && coefficients.Length != Hidden.Size(0))
            throw new ArgumentException($"{coefficients.Length} coefficients for {Hidden.Size(0)} tokens: one for all or one for each is needed.", nameof(coefficients));
        var selected = new float[Rows.Length];
        for (var i = 0; i < selected.Length; i++)
            selected[i] = coefficients.Length == 1 ? coefficients[0] : coefficients[Rows[i]];
        using var single = Tensor.From<float>(selected, [selected.Length], Hidden.Device);
        return single.To(Wide);
    }
}
