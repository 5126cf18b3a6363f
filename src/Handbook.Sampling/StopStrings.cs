namespace Handbook.Sampling;

/// <summary>Texts that end a completion.</summary>
internal static class StopStrings
{
    /// <summary>The text before the first of the stop texts in it; the whole text when there is none.</summary>
    public static string Cut(string text, IReadOnlyList<string> stops)
    {
        var end = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(text.Length).Min();
        return text[..end];
    }
}
