namespace Handbook.Models.Configuration;

/// <summary>Which layers look through a window: <c>layer_types</c> where a configuration names them, else an architecture's rule.</summary>
internal static class LayerWindows
{
    internal const string Sliding = "sliding_attention";
    internal const string Full = "full_attention";

    /// <summary>For each layer its window, null for none.</summary>
    /// <param name="json">The configuration.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="window">The window's length in tokens; null when there is none.</param>
    /// <param name="otherwise">Which layers have it when the configuration does not say.</param>
    internal static IReadOnlyList<int?> Read(ConfigReader json, int layers, int? window, Func<int, bool> otherwise) =>
        [.. AreSliding(json, layers, otherwise).Select(slides => slides ? window : null)];

    /// <summary>For each layer whether it looks through the window.</summary>
    /// <param name="json">The configuration.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="otherwise">Which layers do when the configuration does not say.</param>
    internal static IReadOnlyList<bool> AreSliding(ConfigReader json, int layers, Func<int, bool> otherwise)
    {
        var named = json.Strings("layer_types");
        if (named is not null && named.Count != layers)
            json.Problem("layer_types", $"names {named.Count} layers, num_hidden_layers is {layers}", 0);
        foreach (var kind in named ?? [])
        {
            if (kind is not (Sliding or Full))
                json.Problem("layer_types",
                    $"has \"{kind}\", which is not supported; {Full}, {Sliding} are.{NearestName.Hint(kind, [Full, Sliding])}", 0);
        }
        return [.. Enumerable.Range(0, layers)
            .Select(i => named is null || i >= named.Count ? otherwise(i) : named[i] == Sliding)];
    }
}
