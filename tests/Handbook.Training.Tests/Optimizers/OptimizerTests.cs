using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Optimizers;

/// <summary>Tests here switch kernels and threads of the whole process, so they run alone.</summary>
[CollectionDefinition(nameof(ProcessWideSettings), DisableParallelization = true)]
public sealed class ProcessWideSettings;

[Collection(nameof(ProcessWideSettings))]
public sealed class OptimizerTests
{
    private const int Rows = 109;
    private const int Columns = 367;
    private const int Size = Rows * Columns;

    private static readonly string Sizes = $"[{Rows}, {Columns}]";

    public static TheoryData<OptimizerKind> Fused => [OptimizerKind.AdamW, OptimizerKind.RmsProp, OptimizerKind.Sgd, OptimizerKind.Lion];

    public static TheoryData<OptimizerKind, OptimizerStates> All => new()
    {
        { OptimizerKind.AdamW, OptimizerStates.Float32 }, { OptimizerKind.AdamW, OptimizerStates.Blocks8Bit },
        { OptimizerKind.Lion, OptimizerStates.Float32 }, { OptimizerKind.Lion, OptimizerStates.Blocks8Bit },
        { OptimizerKind.RmsProp, OptimizerStates.Float32 }, { OptimizerKind.RmsProp, OptimizerStates.Blocks8Bit },
        { OptimizerKind.Sgd, OptimizerStates.Float32 }, { OptimizerKind.Adafactor, OptimizerStates.Float32 },
        { OptimizerKind.Muon, OptimizerStates.Float32 },
    };

    [Theory]
    [MemberData(nameof(Fused))]
    public void Step_Fused_EqualsThePlainComposition(OptimizerKind kind)
    {
        foreach (var (weights, gradients) in new[] { (DType.Float32, DType.Float32), (DType.Float32, DType.BFloat16),
            (DType.BFloat16, DType.BFloat16), (DType.BFloat16, DType.Float32) })
        {
            using var scope = new TensorScope();
            var fused = Train(kind, Precision.Bfloat16Mixed, weights, gradients, steps: 3);
            FusedKernels.Enabled = false;
            try
            {
                var plain = Train(kind, Precision.Bfloat16Mixed, weights, gradients, steps: 3);
                Assert.True(fused.Zip(plain).All(pair => Math.Abs(pair.First - pair.Second) <= 2e-6), $"{kind} {weights} {gradients}");
            }
            finally
            {
                FusedKernels.Enabled = true;
            }
        }
    }

    /// <summary>
    /// Codes may differ where a number lies on the edge between two: fused and plain round the averages before them apart.
    /// </summary>
    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.RmsProp)]
    [InlineData(OptimizerKind.Lion)]
    public void Step_FusedIn8Bit_EqualsThePlainComposition(OptimizerKind kind)
    {
        foreach (var (weights, gradients) in new[] { (DType.Float32, DType.Float32), (DType.BFloat16, DType.BFloat16) })
        {
            using var scope = new TensorScope();
            var fused = Train(kind, Precision.Bfloat16Mixed, weights, gradients, steps: 3, OptimizerStates.Blocks8Bit);
            FusedKernels.Enabled = false;
            try
            {
                var plain = Train(kind, Precision.Bfloat16Mixed, weights, gradients, steps: 3, OptimizerStates.Blocks8Bit);
                Assert.InRange(fused.Zip(plain).Count(pair => Math.Abs(pair.First - pair.Second) > 2e-6), 0, Size / 5000);
                Assert.True(fused.Zip(plain).All(pair =>
                    Math.Abs(pair.First - pair.Second) <= (kind == OptimizerKind.Lion ? 0.021 : 1e-3)));
            }
            finally
            {
                FusedKernels.Enabled = true;
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Step_WithOneOrTwoThreads_GivesTheSameBits(OptimizerKind kind, OptimizerStates states)
    {
        var before = ParallelWork.ThreadCount;
        try
        {
            foreach (var (precision, dtype) in new[] { (Precision.Float32, DType.Float32), (Precision.Bfloat16Mixed, DType.BFloat16),
                (Precision.Bfloat16, DType.BFloat16) })
            {
                using var scope = new TensorScope();
                ParallelWork.ThreadCount = 1;
                var one = Train(kind, precision, dtype, dtype, steps: 3, states);
                ParallelWork.ThreadCount = 2;
                Assert.Equal(one, Train(kind, precision, dtype, dtype, steps: 3, states));
            }
        }
        finally
        {
            ParallelWork.ThreadCount = before;
        }
    }

    [Fact]
    public void Step_WithMasterWeights_KeepsUpdatesThatBfloat16Loses()
    {
        using var scope = new TensorScope();
        var parameter = new Parameter("w", Tensor.Full([33], 1, DType.BFloat16));
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1, Optimizer = OptimizerKind.Sgd },
            Precision.Bfloat16Mixed, [parameter], seed: 1);
        parameter.Accumulate(Tensor.Full([33], 1, DType.BFloat16));
        for (var i = 0; i < 256; i++)
            optimizer.Step(1.0 / 1024);
        Assert.Equal(0.75, optimizer.Weights(parameter).ToArray<double>()[32], 1e-6);
        Assert.Equal(0.75, parameter.Value.ToArray<double>()[32]);
    }

    [Fact]
    public void Step_WithStochasticRounding_MovesOnAverageAsFarAsTheUpdates()
    {
        using var scope = new TensorScope();
        var parameter = new Parameter("w", Tensor.Full([Size], 1, DType.BFloat16));
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1, Optimizer = OptimizerKind.Sgd },
            Precision.Bfloat16, [parameter], seed: 3);
        parameter.Accumulate(Tensor.Full([Size], 1, DType.BFloat16));
        for (var i = 0; i < 64; i++)
            optimizer.Step(1.0 / 1024);
        Assert.Same(parameter.Value, optimizer.Weights(parameter));
        Assert.Equal(1 - 64.0 / 1024, parameter.Value.To(DType.Float64).Mean().Item(), 1e-3);
    }

    [Fact]
    public void Step_WithStochasticRounding_FusedEqualsPlainToTheBit()
    {
        using var scope = new TensorScope();
        var fused = Train(OptimizerKind.Sgd, Precision.Bfloat16, DType.BFloat16, DType.BFloat16, steps: 1);
        FusedKernels.Enabled = false;
        try
        {
            Assert.Equal(fused, Train(OptimizerKind.Sgd, Precision.Bfloat16, DType.BFloat16, DType.BFloat16, steps: 1));
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Load_OfASavedState_ContinuesToTheSameBits(OptimizerKind kind, OptimizerStates states)
    {
        using var scope = new TensorScope();
        var whole = Train(kind, Precision.Bfloat16Mixed, DType.BFloat16, DType.BFloat16, steps: 4, states);
        var (parameter, optimizer) = Start(kind, Precision.Bfloat16Mixed, DType.BFloat16, states);
        Run(parameter, optimizer, DType.BFloat16, 0, 2);
        var saved = optimizer.State().ToDictionary(entry => entry.Name, entry => entry.Tensor.Clone());
        var (resumedParameter, resumed) = Start(kind, Precision.Bfloat16Mixed, DType.BFloat16, states);
        resumed.Load(name => saved.GetValueOrDefault(name));
        Assert.Equal(2, resumed.StepCount);
        Assert.Equal(parameter.Value.ToArray<float>(), resumedParameter.Value.ToArray<float>());
        Run(resumedParameter, resumed, DType.BFloat16, 2, 4);
        Assert.Equal(whole, resumed.Weights(resumedParameter).ToArray<float>());
    }

    [Fact]
    public void Load_OfOtherStates_IsRefused()
    {
        using var scope = new TensorScope();
        var (_, small) = Start(OptimizerKind.Lion, Precision.Float32, DType.Float32, OptimizerStates.Blocks8Bit);
        var (_, wide) = Start(OptimizerKind.Lion, Precision.Float32, DType.Float32);
        var saved = small.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        var error = Assert.Throws<UserErrorException>(() => wide.Load(name => saved.GetValueOrDefault(name)));
        Assert.Equal($"The saved optimizer state has layer.weight.exp_avg as uint8{Sizes}; float32{Sizes} is expected.", error.Message);
    }

    [Fact]
    public void State_In8Bit_TakesAQuarterOfTheMemory()
    {
        using var scope = new TensorScope();
        long Bytes(OptimizerStates states)
        {
            var (_, optimizer) = Start(OptimizerKind.AdamW, Precision.Float32, DType.Float32, states);
            return optimizer.State().Sum(entry => entry.Tensor.ByteCount);
        }

        Assert.Equal(8 + 2 * 4 * Size, Bytes(OptimizerStates.Float32));
        Assert.Equal(8 + 2 * (Size + 4 * ((Size + 255) / 256)), Bytes(OptimizerStates.Blocks8Bit));
    }

    [Fact]
    public void State_In8Bit_KeepsSmallWeightsAndEmbeddingsInFloat32()
    {
        using var scope = new TensorScope();
        Parameter[] parameters =
        [
            new("model.embed_tokens.weight", Tensor.Zeros([64, 128], DType.Float32)),
            new("model.layers.0.mlp.up_proj.weight", Tensor.Zeros([32, 128], DType.Float32)),
            new("model.layers.0.mlp.down_proj.weight", Tensor.Zeros([127, 32], DType.Float32)),
        ];
        using var optimizer = OptimizerTable.Create(
            new OptimizationOptions { LearningRate = 1, States = OptimizerStates.Blocks8Bit }, Precision.Float32, parameters, seed: 1);
        string[] expected = ["up_proj.weight.exp_avg", "up_proj.weight.exp_avg_sq"];
        Assert.Equal(expected.Select(name => "model.layers.0.mlp." + name),
            optimizer.State().Where(entry => entry.Tensor.DType == DType.UInt8).Select(entry => entry.Name));
    }

    [Fact]
    public void Load_WithoutATensor_NamesIt()
    {
        using var scope = new TensorScope();
        var (_, optimizer) = Start(OptimizerKind.AdamW, Precision.Float32, DType.Float32);
        var error = Assert.Throws<UserErrorException>(() => optimizer.Load(name => name == "step" ? Tensor.Zeros([1], DType.Int64) : null));
        Assert.Equal($"The saved optimizer state has no layer.weight.exp_avg; float32{Sizes} is expected.", error.Message);
    }

    [Theory]
    [InlineData("model.embed_tokens.weight", true)]
    [InlineData("model.layers.0.mlp.up_proj.weight", true)]
    [InlineData("model.layers.0.self_attn.q_proj.bias", false)]
    [InlineData("model.layers.0.input_layernorm.weight", false)]
    [InlineData("model.layers.0.self_attn.q_norm.weight", false)]
    [InlineData("model.norm.weight", false)]
    [InlineData("transformer.h.0.ln_1.weight", false)]
    [InlineData("transformer.ln_f.weight", false)]
    public void WeightDecayRule_ForAName_SparesBiasesAndNorms(string name, bool decays) =>
        Assert.Equal(decays, WeightDecayRule.Applies(name));

    [Theory]
    [InlineData("model.embed_tokens.weight", true, false)]
    [InlineData("transformer.wte.weight", true, false)]
    [InlineData("transformer.wpe.weight", true, false)]
    [InlineData("lm_head.weight", false, true)]
    [InlineData("score.weight", false, true)]
    [InlineData("model.layers.0.self_attn.q_proj.weight", false, false)]
    [InlineData("base_model.model.model.layers.0.mlp.down_proj.lora_A.weight", false, false)]
    public void ModelEnds_OfAName_AreTablesAndHeads(string name, bool isEmbedding, bool isHead) =>
        Assert.Equal((isEmbedding, isHead), (ModelEnds.IsEmbedding(name), ModelEnds.IsHead(name)));

    [Fact]
    public void Step_WithWeightDecay_ShrinksWeightsButNoBias()
    {
        using var scope = new TensorScope();
        var weight = new Parameter("a.weight", Tensor.Full([3], 2, DType.Float32));
        var bias = new Parameter("a.bias", Tensor.Full([3], 2, DType.Float32));
        using var optimizer = new Optimizer(new AdamW(), [weight, bias], new OptimizerSettings { WeightDecay = 0.5 });
        weight.Accumulate(Tensor.Zeros([3], DType.Float32));
        bias.Accumulate(Tensor.Zeros([3], DType.Float32));
        optimizer.Step(0.1);
        Assert.Equal([1.9f, 1.9f, 1.9f], weight.Value.ToArray<float>());
        Assert.Equal([2f, 2f, 2f], bias.Value.ToArray<float>());
    }

    [Fact]
    public void Global_WithAnInfiniteElement_IsNotFinite()
    {
        using var scope = new TensorScope();
        var good = new Parameter("good", Tensor.Zeros([20], DType.BFloat16));
        var bad = new Parameter("bad", Tensor.Zeros([20], DType.BFloat16));
        good.Accumulate(Tensor.Full([20], 3e38, DType.BFloat16));
        bad.Accumulate(Tensor.Full([20], double.PositiveInfinity, DType.BFloat16));
        Assert.True(double.IsFinite(GradientNorm.Global([good])));
        Assert.False(double.IsFinite(GradientNorm.Global([good, bad])));
    }

    [Fact]
    public void Optimizer_AfterDispose_LeavesNoTensor()
    {
        var before = Tensor.LiveCount;
        using (var scope = new TensorScope())
        {
            var (parameter, optimizer) = Start(OptimizerKind.AdamW, Precision.Bfloat16Mixed, DType.BFloat16);
            Run(parameter, optimizer, DType.BFloat16, 0, 2);
            optimizer.Dispose();
            parameter.Dispose();
        }
        Assert.Equal(before, Tensor.LiveCount);
    }

    private static float[] Train(
        OptimizerKind kind, Precision precision, DType weights, DType gradients, int steps,
        OptimizerStates states = OptimizerStates.Float32)
    {
        var (parameter, optimizer) = Start(kind, precision, weights, states);
        Run(parameter, optimizer, gradients, 0, steps);
        return optimizer.Weights(parameter).ToArray<float>();
    }

    private static (Parameter Parameter, IOptimizer Optimizer) Start(
        OptimizerKind kind, Precision precision, DType dtype, OptimizerStates states = OptimizerStates.Float32)
    {
        var random = new Random(1);
        var initial = Enumerable.Range(0, Size).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var parameter = new Parameter("layer.weight", Tensor.From<float>(initial, [Rows, Columns]).To(dtype).Clone());
        var options = new OptimizationOptions { LearningRate = 0.01, Optimizer = kind, States = states, WeightDecay = 0.1 };
        return (parameter, OptimizerTable.Create(options, precision, [parameter], seed: 7));
    }

    private static void Run(Parameter parameter, IOptimizer optimizer, DType gradients, int first, int end)
    {
        for (var step = first; step < end; step++)
        {
            var random = new Random(100 + step);
            var gradient = Enumerable.Range(0, Size).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
            parameter.Accumulate(Tensor.From<float>(gradient, [Rows, Columns]).To(gradients));
            optimizer.Step(0.01, gradientFactor: 0.7);
            parameter.ZeroGrad();
        }
    }
}
