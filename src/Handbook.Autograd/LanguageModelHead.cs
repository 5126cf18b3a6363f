using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// The language-model head and the log-probability of labels as one operation: logits = hidden · weightᵀ are made for a chunk
/// of labels at a time, reduced to logps (or to their gradient) and forgotten, so tokens x vocabulary is never held. Tokens
/// that predict no label cost nothing. Log-sum-exp and sums are float32 whatever the type.
/// </summary>
public static unsafe partial class LanguageModelHead
{
    /// <summary>
    /// Log-probabilities of labels; the backward pass recomputes the logits from hidden and weight, but for the first few hundred
    /// labels, whose exponentials are kept: 64 MB at most.
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weight">[vocabulary, width].</param>
    /// <param name="rows">
    /// For each label the token it is predicted from (<see cref="SequenceLayout.Predecessors"/>); several labels may share one,
    /// as the first tokens of two answers to a shared prompt do.
    /// </param>
    /// <param name="labels">The labels: token ids.</param>
    /// <param name="bias">[vocabulary], or null.</param>
    /// <param name="options">Scale and cap of the logits; null for none.</param>
    /// <returns>Logps [labels] in float32 (float64 beside float64 data), and what else was seen on the way.</returns>
    public static (Variable Logps, HeadStatistics Statistics) TokenLogps(
        Tape tape, Variable hidden, Weight weight, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels,
        Weight? bias = null, HeadOptions? options = null)
    {
        using var matrix = weight.Lease();
        using var offset = bias?.Lease();
        var call = new HeadCall(hidden.Value, matrix.Value, offset?.Value, rows, labels, options ?? HeadOptions.Default);
        var value = Measure(call, tape.Tracks([hidden], weight, bias));
        var recorded = tape.Record(value.Logps, [hidden], [hidden.Value, .. value.Held], (gradient, held) =>
        {
            using var again = weight.Lease();
            using var offsetAgain = bias?.Lease();
            var wanted = new HeadGradients(hidden.RequiresGrad, weight.Gradient, bias?.Gradient) { WeightSum = weight.Gradient?.Sum };
            value.Gradients(call with { Hidden = held[0], Weight = again.Value, Bias = offsetAgain?.Value }, wanted, gradient)
                .AddTo(hidden);
        }, [weight, bias]);
        // The tape has handles of its own; these would keep the memory until the end of the step.
        foreach (var tensor in value.Held)
            tensor.Dispose();
        return (recorded, value.Statistics);
    }

    /// <summary>
    /// The sum over labels of coefficient * logp, with the gradients computed in the same pass over the logits: for losses whose
    /// coefficients do not depend on the logps (next-token cross-entropy: -1 / number of labels).
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weight">[vocabulary, width].</param>
    /// <param name="rows">As for <see cref="TokenLogps"/>.</param>
    /// <param name="labels">As for <see cref="TokenLogps"/>.</param>
    /// <param name="coefficients">One for each label, or a single one for all.</param>
    /// <param name="bias">[vocabulary], or null.</param>
    /// <param name="options">Scale and cap of the logits; null for none.</param>
    /// <returns>The sum as a float32 scalar (float64 beside float64 data), and what else was seen on the way.</returns>
    public static (Variable Loss, HeadStatistics Statistics) Loss(
        Tape tape, Variable hidden, Weight weight, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients,
        Weight? bias = null, HeadOptions? options = null)
    {
        using var matrix = weight.Lease();
        using var offset = bias?.Lease();
        var call = new HeadCall(hidden.Value, matrix.Value, offset?.Value, rows, labels, options ?? HeadOptions.Default);
        using var scope = new TensorScope();
        var factors = call.Factors(coefficients);
        var wanted = tape.Tracks([hidden], weight, bias)
            ? new HeadGradients(hidden.RequiresGrad, weight.Gradient, bias?.Gradient)
            : default;
        var (logps, statistics, gradients) = Pass(call, wanted, factors);
        var loss = scope.Keep(logps.Multiply(factors).Sum());
        var recorded = tape.Record(loss, [hidden], gradients.Saved(), (gradient, held) =>
            HeadGradients.From(wanted, held).ScaledBy(gradient).AddTo(hidden), [weight, bias]);
        return (recorded, statistics.KeptBy(scope));
    }
}
