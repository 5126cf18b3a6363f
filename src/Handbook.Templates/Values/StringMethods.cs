using Handbook.Templates.Filters;

namespace Handbook.Templates.Values;

/// <summary>The methods of <c>str</c> that templates can reach.</summary>
internal static class StringMethods
{
    private delegate object? Method(RenderContext context, string self, object?[] values);

    private sealed record Entry(Signature Signature, Method Body);

    private static readonly Dictionary<string, Entry> Table = Build();

    public static bool TryGet(string self, string name, bool isMarkup, out object? value)
    {
        value = null;
        if (name is "format" or "format_map")
        {
            value = new BuiltinFunction(name, (context, arguments) => Wrap(isMarkup, name == "format"
                ? BraceFormat.Apply(context, self, Safe(isMarkup, arguments))
                : BraceFormat.ApplyMap(context, self, Safe(isMarkup, arguments))), isMethod: false);
            return true;
        }
        if (name == "encode")
        {
            value = new BuiltinFunction(name, (context, arguments) => Codecs.Encode(context, self, arguments));
            return true;
        }
        if (isMarkup && Markup.TryGetMethod(self, name, out value))
            return true;
        if (!Table.TryGetValue(name, out var entry))
            return false;
        value = new BuiltinFunction(name,
            (context, arguments) => Wrap(isMarkup,
                entry.Body(context, self, entry.Signature.Bind(Safe(isMarkup && name is "join" or "replace", arguments)))));
        return true;
    }

    /// <summary>Calls a method of the table.</summary>
    public static object? Invoke(RenderContext context, string self, string name, Arguments arguments) =>
        Table[name] is var entry ? entry.Body(context, self, entry.Signature.Bind(arguments)) : null;

    /// <summary>Text made from safe text is safe.</summary>
    private static object? Wrap(bool isMarkup, object? value) => !isMarkup ? value : value switch
    {
        string text => new Markup(text),
        SequenceValue items => items.With(Array.ConvertAll(items.Items, item => Wrap(isMarkup, item))),
        _ => value,
    };

    private static Arguments Safe(bool isMarkup, Arguments arguments) => !isMarkup ? arguments
        : new Arguments(Array.ConvertAll(arguments.Positional, Markup.EscapeArguments),
            [.. arguments.Named.Select(entry => KeyValuePair.Create(entry.Key, Markup.EscapeArguments(entry.Value)))]);

    private static Dictionary<string, Entry> Build()
    {
        var table = new Dictionary<string, Entry>(StringComparer.Ordinal);
        foreach (var (name, test) in StringTests.All)
            Add(table, name, 0, [], (_, self, _) => Numbers.Box(test(self)));
        foreach (var (name, map) in new (string, Func<string, string>)[]
        {
            ("upper", PythonCase.Upper), ("lower", PythonCase.Lower), ("title", PythonCase.Title), ("capitalize", PythonCase.Capitalize),
            ("swapcase", PythonCase.SwapCase), ("casefold", PythonCase.CaseFold),
        })
        {
            Add(table, name, 0, [], (context, self, _) => context.Checked(map(self)));
        }
        AddTrimming(table);
        AddSearching(table);
        AddSplitting(table);
        AddPadding(table);
        AddTranslating(table);
        return table;
    }

    private static void Add(Dictionary<string, Entry> table, string name, int required, string[] parameters, Method body) =>
        table.Add(name, new Entry(new Signature("str." + name, required, parameters), body));

    private static void AddTrimming(Dictionary<string, Entry> table)
    {
        Add(table, "strip", 0, ["chars"], (_, self, v) => StringEdits.Strip(self, Chars(v[0]), front: true, back: true));
        Add(table, "lstrip", 0, ["chars"], (_, self, v) => StringEdits.Strip(self, Chars(v[0]), front: true, back: false));
        Add(table, "rstrip", 0, ["chars"], (_, self, v) => StringEdits.Strip(self, Chars(v[0]), front: false, back: true));
        Add(table, "removeprefix", 1, ["prefix"],
            (_, self, v) => self.StartsWith(Text(v[0]), StringComparison.Ordinal)
                ? CodePoints.Sliced(self, Text(v[0]).Length, self.Length) : self);
        Add(table, "removesuffix", 1, ["suffix"], (_, self, v) =>
            Text(v[0]).Length > 0 && self.EndsWith(Text(v[0]), StringComparison.Ordinal)
                ? CodePoints.Sliced(self, 0, self.Length - Text(v[0]).Length) : self);
        Add(table, "replace", 2, ["old", "new", "count"], (context, self, v) =>
            StringEdits.Replace(context, self, Text(v[0]), Text(v[1]), Count(v[2], -1)));
    }

    private static void AddTranslating(Dictionary<string, Entry> table)
    {
        Add(table, "maketrans", 1, ["x", "y", "z"], (context, _, v) => StringTranslation.MakeTable(context, v));
        Add(table, "translate", 1, ["table"], (context, self, v) => StringTranslation.Translate(context, self, v[0]));
    }

    private static void AddSearching(Dictionary<string, Entry> table)
    {
        Add(table, "startswith", 1, ["prefix", "start", "end"], (_, self, v) => Numbers.Box(StringSearch.HasAffix(self, v, atEnd: false)));
        Add(table, "endswith", 1, ["suffix", "start", "end"], (_, self, v) => Numbers.Box(StringSearch.HasAffix(self, v, atEnd: true)));
        Add(table, "find", 1, ["sub", "start", "end"], (_, self, v) => Numbers.Box(StringSearch.Find(self, v, last: false)));
        Add(table, "rfind", 1, ["sub", "start", "end"], (_, self, v) => Numbers.Box(StringSearch.Find(self, v, last: true)));
        Add(table, "index", 1, ["sub", "start", "end"], (_, self, v) => Found(StringSearch.Find(self, v, last: false)));
        Add(table, "rindex", 1, ["sub", "start", "end"], (_, self, v) => Found(StringSearch.Find(self, v, last: true)));
        Add(table, "count", 1, ["sub", "start", "end"], (_, self, v) => Numbers.Box(StringSearch.Count(self, v)));
    }

    private static void AddSplitting(Dictionary<string, Entry> table)
    {
        Add(table, "split", 0, ["sep", "maxsplit"],
            (context, self, v) => StringSplits.Split(context, self, Separator(v[0]), Count(v[1], -1)));
        Add(table, "rsplit", 0, ["sep", "maxsplit"],
            (context, self, v) => StringSplits.SplitFromEnd(context, self, Separator(v[0]), Count(v[1], -1)));
        Add(table, "splitlines", 0, ["keepends"],
            (_, self, v) => new ListValue([.. StringSplits.Lines(self, v[0] != Signature.Missing && Operations.IsTrue(v[0]))]));
        Add(table, "partition", 1, ["sep"], (_, self, v) => StringSplits.Partition(self, Text(v[0]), last: false));
        Add(table, "rpartition", 1, ["sep"], (_, self, v) => StringSplits.Partition(self, Text(v[0]), last: true));
        Add(table, "join", 1, ["iterable"], (context, self, v) => StringEdits.Join(context, self, v[0]));
    }

    private static void AddPadding(Dictionary<string, Entry> table)
    {
        Add(table, "center", 1, ["width", "fillchar"],
            (context, self, v) => StringEdits.Center(context, self, Numbers.ToIndex(v[0]), Fill(v[1])));
        Add(table, "ljust", 1, ["width", "fillchar"],
            (context, self, v) => StringEdits.Pad(context, self, Numbers.ToIndex(v[0]), Fill(v[1]), atFront: false));
        Add(table, "rjust", 1, ["width", "fillchar"],
            (context, self, v) => StringEdits.Pad(context, self, Numbers.ToIndex(v[0]), Fill(v[1]), atFront: true));
        Add(table, "zfill", 1, ["width"], (context, self, v) => StringEdits.ZeroFill(context, self, Numbers.ToIndex(v[0])));
        Add(table, "expandtabs", 0, ["tabsize"], (context, self, v) => StringEdits.ExpandTabs(context, self, Count(v[0], 8)));
    }

    private static object Found(long index) => index >= 0 ? Numbers.Box(index) : throw PythonError.Value("substring not found");

    private static string Text(object? value) => Operations.AsText(value)
        ?? throw PythonError.Type($"argument must be str, not {PythonText.TypeName(value)}");

    private static string? Chars(object? value) => value is null || value == Signature.Missing ? null : Text(value);

    private static string? Separator(object? value) => Chars(value) switch
    {
        "" => throw PythonError.Value("empty separator"),
        var separator => separator,
    };

    private static long Count(object? value, long missing) => value == Signature.Missing ? missing : Numbers.ToIndex(value);

    private static string Fill(object? value)
    {
        var fill = value == Signature.Missing ? " " : Text(value);
        return CodePoints.Length(fill) == 1 ? fill : throw PythonError.Type("The fill character must be exactly one character long");
    }
}
