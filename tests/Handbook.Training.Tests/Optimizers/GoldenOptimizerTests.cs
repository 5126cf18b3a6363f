using System.Text.Json;
using Handbook.Autograd;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Optimizers;

namespace Handbook.Training.Tests.Optimizers;

/// <summary>AdamW and clipping against torch.optim.AdamW and torch.nn.utils.clip_grad_norm_.</summary>
public sealed class GoldenOptimizerTests
{
    public static TheoryData<string, int> AdamWCases => Cases("adamw.json");

    public static TheoryData<string, int> ClippingCases => Cases("clip_grad_norm.json");

    [Theory]
    [Trait("Category", "Golden")]
    [MemberData(nameof(AdamWCases))]
    public void AdamW_OnGoldenSteps_EqualsTorch(string file, int index)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        var golden = document.RootElement.GetProperty("cases")[index];
        using var scope = new TensorScope();
        var parameters = golden.GetProperty("initial").EnumerateObject().Select(initial => new Parameter(
            initial.Name, Tensor.From<float>(Floats(initial.Value), Shape(golden.GetProperty("shapes").GetProperty(initial.Name)))))
            .ToArray();
        var betas = golden.GetProperty("betas");
        using var optimizer = new Optimizer(
            new AdamW(betas[0].GetDouble(), betas[1].GetDouble(), golden.GetProperty("eps").GetDouble()), parameters,
            new OptimizerSettings { WeightDecay = golden.GetProperty("weight_decay").GetDouble() });
        var maximum = golden.GetProperty("max_grad_norm");
        foreach (var step in golden.GetProperty("steps").EnumerateArray())
        {
            foreach (var parameter in parameters)
                parameter.Accumulate(Tensor.From<float>(Floats(step.GetProperty("grads").GetProperty(parameter.Name)),
                    parameter.Value.Shape));
            var norm = GradientNorm.Global(parameters);
            if (step.GetProperty("grad_norm_before_clip") is { ValueKind: JsonValueKind.Number } expected)
                Assert.Equal(expected.GetDouble(), norm, 1e-4 * norm);
            var factor = maximum.ValueKind == JsonValueKind.Number ? GradientNorm.ClipFactor(norm, maximum.GetDouble()) : 1;
            optimizer.Step(golden.GetProperty("lr").GetDouble(), factor);
            foreach (var parameter in parameters)
            {
                AssertClose(Floats(step.GetProperty("params").GetProperty(parameter.Name)), parameter.Value.ToArray<float>());
                parameter.ZeroGrad();
            }
        }
        foreach (var (name, tensor) in optimizer.State().Where(entry => entry.Name.Contains('.', StringComparison.Ordinal)))
        {
            var parts = name.Split('.');
            AssertClose(Floats(golden.GetProperty("final_state").GetProperty(parts[0]).GetProperty(parts[1])), tensor.ToArray<float>());
        }
    }

    [Theory]
    [Trait("Category", "Golden")]
    [MemberData(nameof(ClippingCases))]
    public void ClipFactor_OnGoldenGradients_EqualsTorch(string file, int index)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        var golden = document.RootElement.GetProperty("cases")[index];
        using var scope = new TensorScope();
        var gradients = golden.GetProperty("grads").EnumerateArray().Select(Floats).ToArray();
        var parameters = gradients.Select((gradient, i) => new Parameter($"p{i}", Tensor.Zeros([gradient.Length], DType.Float32)))
            .ToArray();
        for (var i = 0; i < parameters.Length; i++)
            parameters[i].Accumulate(Tensor.From(gradients[i]));
        var norm = GradientNorm.Global(parameters);
        var factor = GradientNorm.ClipFactor(norm, golden.GetProperty("max_norm").GetDouble());
        Assert.Equal(golden.GetProperty("total_norm").GetDouble(), norm, 1e-4 * norm);
        var clipped = golden.GetProperty("clipped").EnumerateArray().Select(Floats).ToArray();
        for (var i = 0; i < gradients.Length; i++)
            AssertClose(clipped[i], Array.ConvertAll(gradients[i], element => (float)(element * factor)));
    }

    private static TheoryData<string, int> Cases(string pattern)
    {
        var cases = new TheoryData<string, int>();
        foreach (var file in SharedFolders.GoldenFiles(Path.Combine("models", "optim"), pattern))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            for (var i = 0; i < document.RootElement.GetProperty("cases").GetArrayLength(); i++)
                cases.Add(file, i);
        }
        return cases;
    }

    private static float[] Floats(JsonElement numbers) => [.. numbers.EnumerateArray().Select(number => number.GetSingle())];

    private static long[] Shape(JsonElement sizes) => [.. sizes.EnumerateArray().Select(size => size.GetInt64())];

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var allowed = Math.Max(1e-6, 1e-5 * Math.Abs(expected[i]));
            Assert.True(Math.Abs(expected[i] - actual[i]) <= allowed, $"element {i}: {actual[i]:R} instead of {expected[i]:R}");
        }
    }
}
