using System.Text;

namespace Handbook.Templates.Values;

/// <summary>A string marked as safe HTML; autoescaping is off in chat templates, so it mostly behaves as its text.</summary>
internal sealed class Markup(string text) : TemplateValue
{
    public string Text { get; } = text;

    public override string TypeName => "Markup";

    public override string QualifiedTypeName => "markupsafe.Markup";

    public override int? Length => CodePoints.Length(Text);

    public override IEnumerator<object?> Iterate() => CodePoints.Split(Text).GetEnumerator();

    public override bool TryGetItem(object? key, out object? value) => Sequences.TryGetItem(Text, key, out value);

    public override string ToText() => Text;

    public override void AppendRepr(StringBuilder result, int depth)
    {
        result.Append("Markup(");
        PythonText.AppendRepr(result, Text, depth);
        result.Append(')');
    }

    private static string Paid(string text)
    {
        Budget.Walk(text.Length * 2L);
        return text;
    }

    /// <summary>The methods that safe texts have and others lack.</summary>
    public static bool TryGetMethod(string self, string name, out object? value)
    {
        value = name switch
        {
            "striptags" => new BuiltinFunction(name, (_, _) => StripTags(self).Text),
            "unescape" => new BuiltinFunction(name, (context, _) => context.Checked(System.Net.WebUtility.HtmlDecode(Paid(self)))),
            "escape" => new BuiltinFunction(name, (_, arguments) => Escape(new Signature(name, 1, "s").Bind(arguments)[0])),
            _ => null,
        };
        return value is not null;
    }

    /// <summary>Texts that join safe text, escaped; also those of a list or dict.</summary>
    public static object? EscapeArguments(object? value) => value switch
    {
        string => Escape(value),
        SequenceValue items => items.With(Array.ConvertAll(items.Items, item => item is string ? Escape(item) : item)),
        DictValue dict =>
            dict.Entries.Aggregate(new DictValue(),
                (copy, entry) => copy.Set(entry.Key, entry.Value is string ? Escape(entry.Value) : entry.Value)),
        _ => value,
    };

    /// <summary><c>markupsafe.escape</c>.</summary>
    public static Markup Escape(object? value) => value as Markup ?? new Markup(EscapeText(PythonText.Of(value)));

    private static string EscapeText(string text) => Paid(text).AsSpan().IndexOfAny("&<>'\"") < 0 ? text : text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);

    /// <summary><c>markupsafe.Markup.striptags</c>.</summary>
    public static Markup StripTags(string text)
    {
        Budget.Walk(text.Length * 8L);
        text = Cut(Cut(text, "<!--", "-->"), "<", ">");
        return new Markup(System.Net.WebUtility.HtmlDecode(string.Join(' ', Words(text))));
    }

    private static IEnumerable<string> Words(string text) =>
        StringEdits.Strip(text, null, front: true, back: true).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static string Cut(string text, string open, string close)
    {
        var result = new StringBuilder();
        var from = 0;
        for (int start; (start = text.IndexOf(open, from, StringComparison.Ordinal)) >= 0;)
        {
            var end = text.IndexOf(close, start, StringComparison.Ordinal);
            if (end < 0)
                break;
            result.Append(text, from, start - from);
            from = end + close.Length;
        }
        return result.Append(text, from, text.Length - from).ToString();
    }
}
