using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Filters that change text.</summary>
internal static class TextFilters
{
    public static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["upper"] = Mapped("do_upper", PythonCase.Upper),
        ["lower"] = Mapped("do_lower", PythonCase.Lower),
        ["capitalize"] = Mapped("do_capitalize", PythonCase.Capitalize),
        ["title"] = new("do_title", 1, ["s"], (context, v) => context.Checked(Title(PythonText.Of(v[0])))),
        ["string"] = new("soft_str", 1, ["s"], (_, v) => v[0] is Markup ? v[0] : PythonText.Of(v[0])),
        ["trim"] = new("do_trim", 1, ["value", "chars"],
            (_, v) => Like(v[0], StringEdits.Strip(PythonText.Of(v[0]), Characters(v[1]), front: true, back: true))),
        ["replace"] = new("do_replace", 3, ["s", "old", "new", "count"], Replace),
        ["center"] = new("do_center", 1, ["value", "width"], (context, v) =>
            Like(v[0], StringEdits.Center(context, PythonText.Of(v[0]), FilterTable.Index(v[1], 80), " "))),
        ["indent"] = new("do_indent", 1, ["s", "width", "first", "blank"], Indent),
        ["truncate"] = new("do_truncate", 1, ["s", "length", "killwords", "end", "leeway"], Truncate),
        ["wordwrap"] = new("do_wordwrap", 1, ["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"], WordWrap),
        ["wordcount"] = new("do_wordcount", 1, ["s"], (_, v) => Numbers.Box(CountWords(PythonText.Of(v[0])))),
        ["format"] = new(Format),
    };

    private static Filter Mapped(string function, Func<string, string> map) =>
        new(function, 1, ["s"], (context, v) => Like(v[0], context.Checked(map(PythonText.Of(v[0])))));

    /// <summary>Text made from safe text is safe.</summary>
    private static object Like(object? source, string text) => source is Markup ? new Markup(text) : text;

    private static string? Characters(object? value) => value is null || value == Signature.Missing ? null
        : Operations.AsText(value) ?? throw PythonError.Type("strip arg must be None or str");

    /// <summary>Words begin after hyphens, whitespace and opening brackets; all but their first letter is lowered.</summary>
    private static string Title(string text)
    {
        Budget.Walk(text.Length * 4L);
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            var inside = !Breaks(text[i]);
            while (i < text.Length && inside != Breaks(text[i])) i++;
            var first = CodePoints.UnitsAt(text, start);
            result.Append(PythonCase.Upper(text.Substring(start, first))).Append(PythonCase.Lower(text[(start + first)..i]));
        }
        return result.ToString();

        static bool Breaks(char unit) => unit is '-' or '(' or '{' or '[' or '<' || PythonCharacters.IsSpace(unit);
    }

    private static object Replace(RenderContext context, object?[] v)
    {
        var count = v[3] is null || v[3] == Signature.Missing ? -1 : Numbers.ToIndex(v[3]);
        var text = context.Autoescape && (v[1] is Markup || (v[2] is Markup && v[0] is not Markup))
            ? Markup.Escape(v[0]).Text : PythonText.Of(v[0]);
        var result = StringEdits.Replace(context, text, PythonText.Of(v[1]), PythonText.Of(v[2]), count);
        return context.Autoescape ? Like(v[0], result) : result;
    }

    private static object Indent(RenderContext context, object?[] v)
    {
        var text = Operations.AsText(v[0]) ?? throw (v[0] as Undefined)?.Fail()
            ?? (v[0] is ListValue or DictValue
                ? PythonError.Attribute($"'{PythonText.TypeName(v[0])}' object has no attribute 'splitlines'")
            : PythonError.Type($"unsupported operand type(s) for +=: '{PythonText.TypeName(v[0])}' and 'str'"));
        var width = FilterTable.Or(v[1], 4L);
        var indention = Operations.AsText(width) ?? (string)Arithmetic.Apply(context, "*", " ", width)!;
        var (first, blank) = (FilterTable.Flag(v[2]), FilterTable.Flag(v[3]));
        var result = new StringBuilder();
        var isFirst = true;
        foreach (var line in StringSplits.Lines(text + "\n", keepEnds: false))
        {
            if (!isFirst)
                result.Append('\n');
            if (isFirst ? first : blank || line.Length > 0)
                result.Append(indention);
            result.Append(line);
            context.CheckLength(result.Length);
            isFirst = false;
        }
        return Like(v[0], context.Checked(result.ToString()));
    }

    private static object? Truncate(RenderContext context, object?[] v)
    {
        var end = PythonText.Of(FilterTable.Or(v[3], "..."));
        var (length, leeway) = (FilterTable.Index(v[1], 255), v[4] is null ? 5 : FilterTable.Index(v[4], 5));
        var endLength = CodePoints.Length(end);
        if (length < endLength)
            throw new PythonError("AssertionError", $"expected length >= {endLength}, got {length}");
        if (leeway < 0)
            throw new PythonError("AssertionError", $"expected leeway >= 0, got {leeway}");
        if (Operations.Length(v[0]) <= length + leeway)
            return v[0];
        var text = Operations.AsText(v[0])
            ?? throw PythonError.Attribute($"'{PythonText.TypeName(v[0])}' object has no attribute 'rsplit'");
        var cut = CodePoints.Slice(text, SliceBounds.Of(CodePoints.Length(text), null, length - endLength, null));
        var space = FilterTable.Flag(v[2]) ? -1 : cut.LastIndexOf(' ');
        return Like(v[0], context.Checked((space < 0 ? cut : cut[..space]) + end));
    }

    private static object WordWrap(RenderContext context, object?[] v)
    {
        var text = Operations.AsText(v[0]) ?? throw (v[0] as Undefined)?.Fail()
            ?? PythonError.Attribute($"'{PythonText.TypeName(v[0])}' object has no attribute 'splitlines'");
        var width = FilterTable.Index(v[1], 79);
        if (width <= 0)
            throw PythonError.Value($"invalid width {width} (must be > 0)");
        var between = FilterTable.Or(v[3], null) is { } given ? PythonText.Of(given) : "\n";
        var breakWords = v[2] == Signature.Missing || Operations.IsTrue(v[2]);
        var breakHyphens = v[4] == Signature.Missing || Operations.IsTrue(v[4]);
        context.Charge(text.Length);
        var result = new StringBuilder();
        foreach (var (number, line) in StringSplits.Lines(text, keepEnds: false).Index())
        {
            Add(number > 0 ? between : "");
            foreach (var (part, wrapped) in TextWrap.Wrap(line, (int)Math.Min(width, int.MaxValue), breakWords, breakHyphens).Index())
                Add(part > 0 ? between : "", wrapped);
        }
        return context.Checked(result.ToString());

        void Add(params ReadOnlySpan<string> parts)
        {
            foreach (var part in parts)
            {
                context.Charge(part.Length / 8);
                context.CheckLength((long)result.Length + part.Length);
                result.Append(part);
            }
        }
    }

    private static int CountWords(string text)
    {
        Budget.Walk(text.Length * 2L);
        var (count, inside) = (0, false);
        for (var i = 0; i < text.Length; i += CodePoints.UnitsAt(text, i))
        {
            // Marks are not \w, although Jinja2 allows them in names.
            var isWord = PythonCharacters.IsWordAt(text, i) && char.GetUnicodeCategory(text, i) is not
                (System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark)
                && (text[i] == '_' || char.GetUnicodeCategory(text, i) != System.Globalization.UnicodeCategory.ConnectorPunctuation);
            count += isWord && !inside ? 1 : 0;
            inside = isWord;
        }
        return count;
    }

    private static object Format(RenderContext context, Arguments arguments)
    {
        if (arguments.Positional.Length > 1 && arguments.Named.Count > 0)
            throw PythonError.FilterArgument("can't handle positional and keyword arguments at the same time");
        var values = arguments.Named.Count == 0 ? new TupleValue(arguments.Positional[1..])
            : (object)arguments.Named.Aggregate(new DictValue(), (dict, entry) => dict.Set(entry.Key, entry.Value));
        return context.Checked(PercentFormat.Apply(context, PythonText.Of(arguments.Positional[0]), values));
    }
}
