using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Filters for HTML, URLs and JSON.</summary>
internal static class HtmlFilters
{
    public static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["escape"] = new("escape", 1, ["s"], (context, v) => Counted(context, Markup.Escape(v[0]))),
        ["e"] = new("escape", 1, ["s"], (context, v) => Counted(context, Markup.Escape(v[0]))),
        ["forceescape"] = new("do_forceescape", 1, ["value"], (context, v) => Counted(context, Markup.Escape(PythonText.Of(v[0])))),
        ["safe"] = new("do_mark_safe", 1, ["value"], (_, v) => v[0] as Markup ?? new Markup(PythonText.Of(v[0]))),
        ["striptags"] = new("do_striptags", 1, ["value"], (_, v) => Markup.StripTags(PythonText.Of(v[0])).Text),
        ["urlencode"] = new("do_urlencode", 1, ["value"], UrlEncode),
        ["urlize"] = new("do_urlize", 1, ["value", "trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], Urls.Link),
        ["xmlattr"] = new("do_xmlattr", 1, ["d", "autospace"], XmlAttributes),
        ["tojson"] = new("tojson", 1, ["x", "ensure_ascii", "indent", "separators", "sort_keys"], ToJson),
        ["pprint"] = new("do_pprint", 1, ["value"], (context, v) => context.Checked(PrettyPrint.Of(v[0]))),
    };

    private static Markup Counted(RenderContext context, Markup markup)
    {
        context.Checked(markup.Text);
        return markup;
    }

    private static string ToJson(RenderContext context, object?[] v)
    {
        var indent = FilterTable.Or(v[2], null);
        var separators = FilterTable.Or(v[3], null);
        var (item, key) = (indent is null ? ", " : ",", ": ");
        if (separators is not null)
        {
            var pair = Operations.ToArray(context, separators);
            if (pair.Length != 2)
                throw PythonError.Value(pair.Length > 2
                    ? "too many values to unpack (expected 2)" : $"not enough values to unpack (expected 2, got {pair.Length})");
            (item, key) = (PythonText.Of(pair[0]), PythonText.Of(pair[1]));
        }
        var margin = indent switch
        {
            null => null,
            string text => text,
            _ => (string)Arithmetic.Apply(context, "*", " ", indent)!,
        };
        var writer = new JsonWriter(context, FilterTable.Flag(v[1]), margin, item, key, FilterTable.Flag(v[4]));
        return context.Checked(writer.Write(v[0]));
    }

    private static string UrlEncode(RenderContext context, object?[] v)
    {
        if (Operations.AsText(v[0]) is not null || Operations.TryIterate(v[0]) is null)
            return context.Checked(Quote(PythonText.Of(v[0]), isQuery: false));
        var pairs = v[0] is DictValue dict
            ? dict.Entries.Select(entry => (entry.Key, entry.Value))
            : Operations.Each(context, v[0]).Select(item => Operations.ToArray(context, item) is [var key, var value] ? (key, value)
                : throw PythonError.Value("not enough values to unpack (expected 2)"));
        return context.Checked(string.Join('&',
            pairs.Select(pair => $"{Quote(PythonText.Of(pair.Item1), isQuery: true)}={Quote(PythonText.Of(pair.Item2), isQuery: true)}")));
    }

    private static string Quote(string text, bool isQuery)
    {
        Budget.Walk(text.Length * 4L);
        var result = new StringBuilder();
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)unit) || unit is (byte)'_' or (byte)'.' or (byte)'-' or (byte)'~'
                || (unit == '/' && !isQuery))
                result.Append((char)unit);
            else if (unit == ' ' && isQuery)
                result.Append('+');
            else
                result.Append('%').Append(unit.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return result.ToString();
    }

    private static object XmlAttributes(RenderContext context, object?[] v)
    {
        if (v[0] is not DictValue dict)
            throw (v[0] as Undefined)?.Fail() ?? PythonError.Attribute($"'{PythonText.TypeName(v[0])}' object has no attribute 'items'");
        var result = new StringBuilder();
        foreach (var (key, value) in dict.Entries)
        {
            if (value is null or Undefined)
                continue;
            var name = Operations.AsText(key)
                ?? throw PythonError.Type($"expected string or bytes-like object, got '{PythonText.TypeName(key)}'");
            if (name.AsSpan().IndexOfAny(" \t\n\r\f\v/>=") >= 0)
                throw PythonError.Value($"Invalid character in attribute name: {PythonText.ReprOf(name)}");
            result.Append(result.Length > 0 ? " " : "").Append(Markup.Escape(key).Text).Append("=\"").Append(Markup.Escape(value).Text)
                .Append('"');
        }
        var space = result.Length > 0 && (v[1] == Signature.Missing || Operations.IsTrue(v[1])) ? " " : "";
        var text = context.Checked(space + result);
        return context.Autoescape ? new Markup(text) : text;
    }
}
