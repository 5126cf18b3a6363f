using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) step for step as <c>torch.optim.Muon</c>: m ← μ m + (1 - μ) g;
/// u = (1 - μ) g + μ m; w ← w (1 - lr λ) - lr · a · O(u), where O is <see cref="Orthogonalization"/> and a depends on the matrix's shape.
/// For hidden matrices alone, a stack of experts being one matrix each: embeddings, heads, norms and biases follow another rule.
/// </summary>
/// <param name="others">The rule of what is no hidden matrix.</param>
/// <param name="adjustment">What a is.</param>
/// <param name="products">Type of the products; float64 for float64 weights in any case.</param>
/// <param name="momentum">μ.</param>
public sealed class Muon(IUpdateRule others, MuonAdjustment adjustment, DType products, double momentum = 0.95) : IUpdateRule
{
    /// <summary>How large updates of AdamW usually are (Liu et al. 2025, arXiv:2502.16982).</summary>
    private const double AdamWRms = 0.2;

    /// <inheritdoc/>
    public IUpdateRule Of(Parameter parameter) =>
        parameter.Shape.Length >= 2 && WeightDecayRule.Applies(parameter.Name)
            && !ModelEnds.IsEmbedding(parameter.Name) && !ModelEnds.IsHead(parameter.Name) ? this : others;

    /// <inheritdoc/>
    public IReadOnlyList<AverageForm> Averages(long[] shape) => [new("momentum_buffer", shape)];

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) =>
        new(1 - learningRate * weightDecay, learningRate, Beta1: momentum);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        state[0].MultiplyInPlace(numbers.Beta1);
        state[0].AddInPlace(gradient, 1 - numbers.Beta1);
        var ahead = gradient.Multiply(1 - numbers.Beta1).Add(state[0], numbers.Beta1);
        var update = Orthogonalization.Of(ahead, weights.DType == DType.Float64 ? DType.Float64 : products);
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(update.To(weights.DType), -numbers.StepSize * Factor(weights.Shape[^2], weights.Shape[^1]));
    }

    private double Factor(long rows, long columns) => adjustment switch
    {
        MuonAdjustment.Original => Math.Sqrt(Math.Max(1, (double)rows / columns)),
        _ => AdamWRms * Math.Sqrt(Math.Max(rows, columns)),
    };
}
