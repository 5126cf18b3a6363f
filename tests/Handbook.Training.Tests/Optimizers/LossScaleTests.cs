using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Optimizers;

/// <summary>The loss scale moves as torch.amp.GradScaler's: 2^16, doubled after 2,000 good steps, halved by a bad one.</summary>
public sealed class LossScaleTests
{
    [Fact]
    public void Follow_FiniteGradients_DoublesAfterTwoThousandSteps()
    {
        var scale = LossScale.Dynamic();
        for (var i = 0; i < 1999; i++)
            Assert.True(scale.Follow(1));
        Assert.Equal(65536, scale.Value);
        Assert.True(scale.Follow(1));
        Assert.Equal(131072, scale.Value);
        for (var i = 0; i < 1999; i++)
            Assert.True(scale.Follow(1));
        Assert.Equal(131072, scale.Value);
    }

    [Fact]
    public void Follow_AnOverflow_HalvesAndCountsAnew()
    {
        var scale = LossScale.Dynamic();
        for (var i = 0; i < 1999; i++)
            scale.Follow(1);
        Assert.True(scale.Follow(double.PositiveInfinity));
        Assert.True(scale.Follow(1));
        Assert.Equal(32768, scale.Value);
        Assert.True(scale.Follow(double.NaN));
        Assert.Equal(16384, scale.Value);
    }

    [Fact]
    public void Follow_GradientsThatNoScaleHelps_ComesToAnEnd()
    {
        var scale = LossScale.Dynamic();
        var steps = 0;
        while (scale.Follow(double.NaN))
            steps++;
        Assert.Equal(32, steps);
    }

    [Fact]
    public void One_NeverMoves()
    {
        Assert.True(LossScale.One.Follow(1e30));
        Assert.False(LossScale.One.Follow(double.NaN));
        Assert.Equal(1, LossScale.One.Value);
        Assert.Null(LossScale.One.Shown);
        Assert.Empty(LossScale.One.State());
    }

    [Fact]
    public void State_OfAnOptimizerInFloat16_HoldsScaleAndTracker()
    {
        using var scope = new TensorScope();
        using var optimizer = Optimizer(Precision.Float16Mixed);
        optimizer.LossScale.Follow(double.NaN);
        optimizer.LossScale.Follow(1);
        var saved = optimizer.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        Assert.Equal(32768, saved["loss_scale"].ToArray<float>()[0]);
        Assert.Equal(1, saved["loss_scale.growth_tracker"].ToArray<long>()[0]);
        using var resumed = Optimizer(Precision.Float16Mixed);
        resumed.Load(name => saved.GetValueOrDefault(name));
        Assert.Equal(32768, resumed.LossScale.Value);
        using var plain = Optimizer(Precision.Float32);
        Assert.DoesNotContain(plain.State(), entry => entry.Name.StartsWith("loss_scale", StringComparison.Ordinal));
    }

    private static IOptimizer Optimizer(Precision precision) => OptimizerTable.Create(
        new OptimizationOptions { LearningRate = 1 }, precision,
        [new Parameter("w", Tensor.Zeros([4], precision == Precision.Float32 ? DType.Float32 : DType.Float16))], seed: 1);
}
