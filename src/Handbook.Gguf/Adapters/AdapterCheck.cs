using Handbook.Models;
using Handbook.Models.Adapters;

namespace Handbook.Gguf.Adapters;

/// <summary>Whether an adapter is what llama.cpp's adapters are: low-rank pairs and nothing else.</summary>
internal static class AdapterCheck
{
    private const string Remedy = "handbook merge makes a model of it and its base, which can be exported.";

    /// <summary>Refuses what its settings say.</summary>
    /// <exception cref="UserErrorException">It has no place in the file.</exception>
    public static void Settings(AdapterFolder adapter)
    {
        if (adapter.BeyondPairs is { } what)
            throw Refused(adapter, what);
    }

    /// <summary>Refuses weights that are trained whole, and a table that is the head too.</summary>
    /// <exception cref="UserErrorException">There are some.</exception>
    public static void Weights(AdapterFolder folder, Adapter adapter, CausalLanguageModel model, string embedding)
    {
        if (model.Config.Head.IsTied && adapter.Deltas.Any(delta => delta.Weight == embedding))
            throw Refused(folder, $"target_modules: {embedding} is the head's matrix too, which llama.cpp adapts as a table alone");
        string[] whole = [.. adapter.WholeWeights];
        if (whole.Length == 0)
            return;
        var key = Array.TrueForAll(whole, name => name.EndsWith(".bias", StringComparison.Ordinal)) ? "bias" : "modules_to_save";
        var more = whole.Length > 1 ? $" and {whole.Length - 1} more" : "";
        throw Refused(folder, $"{key}: {whole[0]}{more} trained whole");
    }

    private static UserErrorException Refused(AdapterFolder adapter, string what) => new(
        $"{adapter.ConfigPath}: {what}; llama.cpp's adapters hold low-rank pairs only. {Remedy}");
}
