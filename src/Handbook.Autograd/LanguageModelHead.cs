using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>What happens to the logits between the product with the head's weight and the softmax.</summary>
/// <param name="LogitScale">Factor on the logits (Cohere, Granite, muP); 1 leaves them.</param>
/// <param name="SoftCap">Logits become cap * tanh(logit / cap) (Gemma 2); null leaves them.</param>
public sealed record HeadOptions(double LogitScale = 1, double? SoftCap = null)
{
    /// <summary>Plain logits.</summary>
    public static HeadOptions Default { get; } = new();
}

/// <summary>What the head saw at the tokens that have a label; the lists run in the row's order.</summary>
/// <param name="Rows">Indices of these tokens in the row.</param>
/// <param name="Logps">Log-probability of each label.</param>
/// <param name="IsCorrect">True where the label has the largest logit (the first of equals).</param>
/// <param name="MeanLogits">Mean over the vocabulary of each token's logits.</param>
public sealed record TokenStatistics(int[] Rows, float[] Logps, bool[] IsCorrect, float[] MeanLogits);

/// <summary>
/// The language-model head and the log-probability of labels as one operation: logits = hidden · weightᵀ are made for a chunk
/// of tokens at a time, reduced to logps (or to their gradient) and forgotten, so tokens x vocabulary is never held. Tokens
/// without a label cost nothing. Log-sum-exp and sums are float32 whatever the type.
/// </summary>
public static unsafe partial class LanguageModelHead
{
    /// <summary>The label of a token that has none.</summary>
    public const long IgnoreIndex = -100;

    /// <summary>Log-probabilities of labels; the backward pass recomputes the logits from hidden and weight.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weight">[vocabulary, width].</param>
    /// <param name="labels">
    /// For each token the token that should come next (already shifted), or <see cref="IgnoreIndex"/>.
    /// </param>
    /// <param name="bias">[vocabulary], or null.</param>
    /// <param name="options">Scale and cap of the logits; null for none.</param>
    /// <returns>Logps [labelled tokens] in float32 (float64 beside float64 data), and what else was seen on the way.</returns>
    public static (Variable Logps, TokenStatistics Statistics) Logps(
        Tape tape, Variable hidden, Variable weight, ReadOnlySpan<long> labels, Variable? bias = null, HeadOptions? options = null)
    {
        var call = new HeadCall(hidden.Value, weight.Value, bias?.Value, labels, options ?? HeadOptions.Default);
        var (logps, statistics) = PlainLogps(call);
        var saved = bias is null ? new[] { hidden.Value, weight.Value } : [hidden.Value, weight.Value, bias.Value];
        var recorded = tape.Record(logps, [hidden, weight, bias], saved, (gradient, held) =>
        {
            var again = call with { Hidden = held[0], Weight = held[1], Bias = bias is null ? null : held[2] };
            var wanted = new HeadGradients(hidden.RequiresGrad, weight.RequiresGrad, bias is { RequiresGrad: true });
            var (_, _, gradients) = PlainGradients(again, wanted, gradient);
            gradients.AccumulateInto(hidden, weight, bias);
        });
        return (recorded, statistics);
    }

    /// <summary>
    /// The sum over labelled tokens of coefficient * logp, with the gradients computed in the same pass over the logits: for
    /// losses whose coefficients do not depend on the logps (next-token cross-entropy: -1 / number of labels).
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weight">[vocabulary, width].</param>
    /// <param name="labels">As for <see cref="Logps"/>.</param>
    /// <param name="coefficients">One for each token (those without a label are not read), or a single one for all.</param>
    /// <param name="bias">[vocabulary], or null.</param>
    /// <param name="options">Scale and cap of the logits; null for none.</param>
    /// <returns>The sum as a float32 scalar (float64 beside float64 data), and what else was seen on the way.</returns>
    public static (Variable Loss, TokenStatistics Statistics) Loss(
        Tape tape, Variable hidden, Variable weight, ReadOnlySpan<long> labels, ReadOnlySpan<float> coefficients,
        Variable? bias = null, HeadOptions? options = null)
    {
        var call = new HeadCall(hidden.Value, weight.Value, bias?.Value, labels, options ?? HeadOptions.Default);
        using var scope = new TensorScope();
        var factors = call.Select(coefficients);
        var tracked = tape.Tracks(hidden, weight, bias);
        var wanted = new HeadGradients(
            tracked && hidden.RequiresGrad, tracked && weight.RequiresGrad, tracked && bias is { RequiresGrad: true });
        var (logps, statistics, gradients) = PlainGradients(call, wanted, factors);
        var loss = scope.Keep(logps.Multiply(factors).Sum());
        var saved = gradients.Saved();
        return (tape.Record(loss, [hidden, weight, bias], saved, (gradient, held) =>
            HeadGradients.From(wanted, held).ScaledBy(gradient).AccumulateInto(hidden, weight, bias)), statistics);
    }
}
