using Handbook.Torch;

namespace Handbook.Autograd.Tests;

public class LanguageModelHeadTests
{
    private static readonly int[] Rows = [0, 1, 1, 4, 5];
    private static readonly int[] Labels = [3, 10, 0, 3, 7];

    public static TheoryData<double, double?, bool> Options => new() { { 1, null, false }, { 0.5, 3.0, true } };

    [Theory]
    [MemberData(nameof(Options))]
    [ProvesGradient(typeof(LanguageModelHead), nameof(LanguageModelHead.Logps))]
    public void Logps_WithATokenThatPredictsTwoLabels_HasTheGradientOfCentralDifferences(double scale, double? cap, bool bias)
    {
        using var scope = new TensorScope();
        var random = new Random(2);
        var inputs = Inputs(random, bias);
        CentralDifferences.Check(random, inputs, (tape, x) =>
            LanguageModelHead.Logps(tape, x[0], x[1], Rows, Labels, bias ? x[2] : null, new HeadOptions(scale, cap)).Logps);
    }

    [Theory]
    [MemberData(nameof(Options))]
    [ProvesGradient(typeof(LanguageModelHead), nameof(LanguageModelHead.Loss))]
    public void Loss_WithACoefficientForEachLabel_HasTheGradientOfCentralDifferences(double scale, double? cap, bool bias)
    {
        using var scope = new TensorScope();
        var random = new Random(3);
        var inputs = Inputs(random, bias);
        float[] coefficients = [-0.5f, 0.25f, -1, 2, 0];
        CentralDifferences.Check(random, inputs, (tape, x) =>
            LanguageModelHead.Loss(tape, x[0], x[1], Rows, Labels, coefficients, bias ? x[2] : null, new HeadOptions(scale, cap)).Loss);
    }

    private static Tensor[] Inputs(Random random, bool bias)
    {
        var inputs = new List<Tensor> { CentralDifferences.Normal(random, 6, 5), CentralDifferences.Normal(random, 11, 5) };
        if (bias)
            inputs.Add(CentralDifferences.Normal(random, 11));
        return [.. inputs];
    }
}
