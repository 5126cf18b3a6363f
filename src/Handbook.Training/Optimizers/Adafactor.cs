using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Adafactor (Shazeer and Stern 2018, arXiv:1804.04235) as transformers' Trainer runs it: the learning rate is the schedule's
/// (<c>scale_parameter</c> and <c>relative_step</c> off), no first moment. A matrix keeps the mean squares of its rows r and columns c
/// alone:
/// u = g / √(r cᵀ / mean(r)), anything else v: u = g / √v, both with β₂ = 1 - t^-0.8 on g² + 1e-30; then
/// w ← w (1 - lr λ) - lr · u / max(1, rms(u)).
/// </summary>
public sealed class Adafactor : IUpdateRule
{
    private const double DecayRate = -0.8;
    private const double Floor = 1e-30;

    /// <inheritdoc/>
    public IReadOnlyList<AverageForm> Averages(long[] shape) => shape.Length < 2
        ? [new("exp_avg_sq", shape, IsSigned: false)]
        :
        [
            new("exp_avg_sq_row", shape[..^1], IsSigned: false),
            new("exp_avg_sq_col", [.. shape[..^2], shape[^1]], IsSigned: false),
        ];

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) =>
        new(1 - learningRate * weightDecay, learningRate, Beta2: 1 - Math.Pow(step, DecayRate), Epsilon: Floor);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        var squares = gradient.Multiply(gradient).Add(numbers.Epsilon);
        var update = (state.Count == 2 ? Factored(squares, state[0], state[1], numbers.Beta2) : Whole(squares, state[0], numbers.Beta2))
            .Multiply(gradient);
        var rms = Operator.Call("aten::sqrt"u8, default, update.Multiply(update).Mean());
        var bound = Operator.Call("aten::maximum"u8, default, rms, Tensor.Full([], 1, rms.DType, rms.Device));
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(update.Divide(bound), -numbers.StepSize);
    }

    private static Tensor Whole(Tensor squares, Tensor average, double beta)
    {
        Mix(average, squares, beta);
        return Operator.Call("aten::rsqrt"u8, default, average);
    }

    private static Tensor Factored(Tensor squares, Tensor rows, Tensor columns, double beta)
    {
        Mix(rows, Mean(squares, -1), beta);
        Mix(columns, Mean(squares, -2), beta);
        var row = Operator.Call("aten::rsqrt"u8, default, rows.Divide(Mean(rows, -1, keepDim: true)));
        var column = Operator.Call("aten::rsqrt"u8, default, columns);
        return Operator.Call("aten::unsqueeze"u8, default, row, -1L).Multiply(Operator.Call("aten::unsqueeze"u8, default, column, -2L));
    }

    private static void Mix(Tensor average, Tensor squares, double beta)
    {
        average.MultiplyInPlace(beta);
        average.AddInPlace(squares, 1 - beta);
    }

    private static Tensor Mean(Tensor tensor, int dim, bool keepDim = false) =>
        tensor.Sum(dim, keepDim).Multiply(1.0 / tensor.Shape[tensor.Shape.Length + dim]);
}
