using System.Globalization;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>
/// On which side of a pair an adapter's files have the inputs of joined experts. A parameter is [experts, a, b], and what a and b are
/// depends on the architecture: PEFT took a for the inputs until 0.18, the right ones since 0.19.1, and 0.19.0 asked the architecture and
/// turned its answer round (pull requests 3083, 3165 of huggingface/peft).
/// </summary>
internal static class ExpertPairLayout
{
    /// <summary>The release whose layout is written here.</summary>
    internal const string Written = "0.19.1";

    /// <summary>Whether A is on the side of the outputs. Shapes tell; the version does where all experts are square.</summary>
    /// <param name="model">The model.</param>
    /// <param name="targets">What is adapted.</param>
    /// <param name="weights">The adapter's tensors.</param>
    /// <param name="version">PEFT's version that wrote them; null when nobody says.</param>
    internal static bool IsTurned(
        IPretrainedModel model, IReadOnlyList<AdapterTarget> targets, SafetensorsFolder weights, string? version)
    {
        var joined = targets.Where(target => target.IsJoined).ToList();
        foreach (var target in joined.Where(target => target.Shape[1] != target.Shape[2] && weights.Contains(target.DownName)))
        {
            if (weights.Entry(target.DownName).Shape is [_, var width])
                return width == target.Shape[1];
        }
        return joined.Count > 0 && (Number(version) switch
        {
            var number when number >= new Version(0, 19, 1) => false,
            var number when number >= new Version(0, 19, 0) => true,
            _ => model.Map[joined[0].Slot.Name] is not StoredForm.Transposed,
        });
    }

    private static Version Number(string? version)
    {
        int[] parts = [.. (version ?? "").Split('.').Select(Whole), 0, 0];
        return new Version(parts[0], parts[1], parts[2]);
    }

    private static int Whole(string part) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
