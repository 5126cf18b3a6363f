using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>The golden folder's cases of losses: values and gradients that PyTorch computed with the bodies of TRL's functions.</summary>
internal static class LossVectors
{
    /// <summary>Losses in float64, relative.</summary>
    internal const double Double = 1e-9;

    /// <summary>Cases whose source computes in float32.</summary>
    internal const double Single = 1e-5;

    /// <summary>Metrics: TRL takes some of them in float32, and so does the head.</summary>
    internal const double Metric = 1e-6;

    private const string Folder = "models/losses";

    /// <summary>One row a case: its number and what tells it apart.</summary>
    internal static TheoryData<int, string> Cases(string file, params string[] keys)
    {
        var data = new TheoryData<int, string>();
        foreach (var path in SharedFolders.GoldenFiles(Folder, file))
        {
            var cases = JsonNode.Parse(File.ReadAllText(path))!["cases"]!.AsArray();
            for (var i = 0; i < cases.Count; i++)
                data.Add(i, string.Join(" ",
                    keys.Where(key => cases[i]![key] is not null).Select(key => $"{key}={cases[i]![key]!.ToJsonString()}")));
        }
        return data;
    }

    internal static JsonObject Read(string file) =>
        JsonNode.Parse(File.ReadAllText(SharedFolders.Golden([.. Folder.Split('/'), file])))!.AsObject();

    internal static JsonObject Case(JsonObject file, int index) => file["cases"]![index]!.AsObject();

    internal static double Number(this JsonNode node, string key) => node[key]!.GetValue<double>();

    internal static double NumberOr(this JsonNode node, string key, double absent) => node[key]?.GetValue<double>() ?? absent;

    internal static double[] Numbers(this JsonNode node, string key) =>
    [
        .. node[key]!.AsArray().Select(value => value!.GetValue<double>()),
    ];

    internal static string Text(this JsonNode node, string key) => node[key]!.GetValue<string>();

    internal static bool Flag(this JsonNode node, string key) => node[key]?.GetValue<bool>() ?? false;

    /// <summary>A vector that gradients reach.</summary>
    internal static Variable Leaf(double[] values) => new(Tensor.From(values), requiresGrad: true);

    internal static Variable Constant(double[] values) => new(Tensor.From(values));

    internal static double[] Values(this Tensor tensor) => tensor.To(DType.Float64).ToArray<double>();

    internal static double[] GradientValues(this Variable variable) =>
        variable.Grad?.Values() ?? new double[variable.Value.ElementCount];

    internal static void Near(double expected, double actual, double tolerance, string what) =>
        Assert.True(
            Math.Abs(expected - actual) <= tolerance * Math.Max(1e-6, Math.Abs(expected)) || expected.Equals(actual),
            $"{what}: {actual:R}, expected {expected:R}");

    /// <summary>Every entry, relative to the largest of the vector.</summary>
    internal static void Near(double[] expected, double[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = Math.Max(1e-6, expected.Max(Math.Abs));
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * scale, $"{what}[{i}]: {actual[i]:R}, expected {expected[i]:R}");
    }
}
