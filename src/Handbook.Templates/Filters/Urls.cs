using System.Globalization;
using System.Text.RegularExpressions;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>The <c>urlize</c> filter. Its patterns run in linear time whatever the text.</summary>
internal static class Urls
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly Regex Web = new(
        @"^((https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?://"
            + @")(((\d{1,3})(\.\d{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))(?::\d{1,5})?(?:[/?#]\S*)?$",
        Options | RegexOptions.IgnoreCase);

    private static readonly Regex Mail = new(@"^\S+@\w[\w.-]*\.\w+$", Options);
    private static readonly Regex Head = new(@"^([(<]|&lt;)+", Options);
    private static readonly Regex Tail = new(@"([)>.,\n]|&gt;)+$", Options);

    public static object Link(RenderContext context, object?[] v)
    {
        var limit = v[1] is null ? long.MaxValue : FilterTable.Index(v[1], long.MaxValue);
        var relations = new SortedSet<string>(StringComparer.Ordinal) { "noopener" };
        if (FilterTable.Or(v[4], null) is { } given)
            relations.UnionWith(PythonText.Of(given).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (FilterTable.Flag(v[2]))
            relations.Add("nofollow");
        var attributes = $" rel=\"{Markup.Escape(string.Join(' ', relations)).Text}\""
            + (FilterTable.Or(v[3], null) is { } target ? $" target=\"{Markup.Escape(target).Text}\"" : "");
        var schemes = FilterTable.Or(v[5], null) is { } extra ? Operations.ToArray(context, extra).Select(PythonText.Of).ToArray() : [];
        var words = Words(Markup.Escape(v[0]).Text).Select(word => LinkWord(word, limit, attributes, schemes));
        var text = context.Checked(string.Concat(words));
        return context.Autoescape ? new Markup(text) : text;
    }

    private static IEnumerable<string> Words(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            var blank = PythonCharacters.IsSpace(text[i]);
            while (i < text.Length && PythonCharacters.IsSpace(text[i]) == blank) i++;
            yield return text[start..i];
        }
    }

    private static string LinkWord(string word, long limit, string attributes, string[] schemes)
    {
        Budget.Spend(word.Length * 4L);
        var head = Head.Match(word).Value;
        var middle = word[head.Length..];
        var tail = Tail.Match(middle).Value;
        middle = middle[..^tail.Length];
        foreach (var (open, close) in new[] { ("(", ")"), ("<", ">"), ("&lt;", "&gt;") })
        {
            var opened = Count(middle, open);
            if (opened <= Count(middle, close))
                continue;
            for (var left = Math.Min(opened, Count(tail, close)); left > 0; left--)
            {
                Budget.Spend(word.Length / 4);
                var end = tail.IndexOf(close, StringComparison.Ordinal) + close.Length;
                middle += tail[..end];
                tail = tail[end..];
            }
        }
        return head + LinkText(middle, limit, attributes, schemes) + tail;
    }

    private static string LinkText(string text, long limit, string attributes, string[] schemes)
    {
        if (Web.IsMatch(text))
        {
            var isWhole = text.StartsWith("https://", StringComparison.Ordinal) || text.StartsWith("http://", StringComparison.Ordinal);
            var shown = CodePoints.Length(text) > limit
                ? CodePoints.Slice(text, SliceBounds.Of(CodePoints.Length(text), null, limit, null)) + "..." : text;
            return $"<a href=\"{(isWhole ? "" : "https://")}{text}\"{attributes}>{shown}</a>";
        }
        if (text.StartsWith("mailto:", StringComparison.Ordinal) && Mail.IsMatch(text[7..]))
            return $"<a href=\"{text}\">{text[7..]}</a>";
        if (text.Contains('@', StringComparison.Ordinal) && !text.StartsWith("www.", StringComparison.Ordinal) && text[0] != '@'
            && !text.Contains(':', StringComparison.Ordinal) && Mail.IsMatch(text))
        {
            return $"<a href=\"mailto:{text}\">{text}</a>";
        }
        return Array.Exists(schemes, scheme => text != scheme && text.StartsWith(scheme, StringComparison.Ordinal))
            ? string.Create(CultureInfo.InvariantCulture, $"<a href=\"{text}\"{attributes}>{text}</a>") : text;
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
