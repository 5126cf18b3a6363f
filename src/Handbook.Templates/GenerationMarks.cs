namespace Handbook.Templates;

/// <summary>
/// Where <c>{% generation %}</c> blocks inside macros and set blocks end up: the renderer knows only where they were written, so the
/// conversation is rendered once more with marks around each block's text.
/// </summary>
internal static class GenerationMarks
{
    /// <summary>Before a block's text. Neither mark is a character, so no text should hold it.</summary>
    public const char Start = '\uFDD0';

    /// <summary>Behind a block's text.</summary>
    public const char End = '\uFDD1';

    /// <summary>
    /// The spans of <paramref name="text"/> that stand between marks in <paramref name="marked"/>, in order; null where the marks changed
    /// what the template wrote, so that they tell nothing.
    /// </summary>
    public static IReadOnlyList<TextRange>? Spans(string marked, string text)
    {
        var spans = new List<TextRange>();
        var open = new Stack<int>();
        var at = 0;
        foreach (var unit in marked)
        {
            if (unit == Start)
                open.Push(at);
            else if (unit == End && open.TryPop(out var start))
                spans.Add(new TextRange(start, at));
            else if (at < text.Length && text[at] == unit)
                at++;
            else
                return null;
        }
        spans.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : a.End.CompareTo(b.End));
        return at == text.Length && open.Count == 0 ? spans : null;
    }
}
