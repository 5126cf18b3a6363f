namespace Handbook.Recipes.Yaml;

/// <summary>
/// What PyYAML refuses and YamlDotNet lets pass: unprintable characters, tabs between tokens, a plain <c>%</c>, a value
/// without its key, brackets that are never closed.
/// </summary>
internal sealed class YamlSurface(string text, string file)
{
    private readonly List<(int Start, int End, bool IsPlain)> scalars = [];

    /// <summary>Refuses characters that no YAML text may hold.</summary>
    public void CheckCharacters()
    {
        var index = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsPrintable(rune.Value))
                throw Fault(index, $"the character #x{rune.Value:x4} is not allowed in YAML.");
            index += rune.Utf16SequenceLength;
        }
    }

    /// <summary>Notes the place of a scalar: what is in it is text.</summary>
    public void Add(int start, int end, bool isPlain)
    {
        scalars.Add((start, end, isPlain));
        if (isPlain && start < text.Length && text[start] == '%')
            throw Fault(start, "a plain value cannot begin with '%'; put it in quotes.");
    }

    /// <summary>Refuses a key that is not there: <c>: value</c>.</summary>
    public void CheckKey(int start, int end)
    {
        if (start == end && start < text.Length && text[start] == ':')
            throw Fault(start, "there is no key before the ':'.");
    }

    /// <summary>Looks at what stands between scalars and comments: no tab may, and brackets must pair.</summary>
    public void CheckBetween()
    {
        scalars.Sort();
        var open = new Stack<int>();
        var next = 0;
        for (var i = 0; i < text.Length; i++)
        {
            while (next < scalars.Count && (scalars[next].End <= i || scalars[next].End == scalars[next].Start))
                next++;
            if (next < scalars.Count && i >= scalars[next].Start)
                i = SkipScalar(i, scalars[next++]);
            else if (text[i] == '#' && (i == 0 || text[i - 1] is ' ' or '\n' or '\r'))
                i = text.IndexOf('\n', i) is var line and >= 0 ? line : text.Length;
            else if (text[i] == '\t')
                throw Fault(i, "a tab cannot stand between values; use spaces.");
            else if (text[i] is '[' or '{')
                open.Push(i);
            else if (text[i] is ']' or '}' && !(open.TryPop(out var begin) && text[begin] == (text[i] == ']' ? '[' : '{')))
                throw Fault(i, $"this '{text[i]}' closes nothing.");
        }
        if (open.TryPeek(out var unclosed))
            throw Fault(unclosed, "this bracket is never closed.");
    }

    private int SkipScalar(int index, (int Start, int End, bool IsPlain) scalar)
    {
        var end = Math.Min(text.Length, scalar.End);
        if (scalar.IsPlain && text.AsSpan(index, end - index).TrimEnd().IndexOf('\t') is var tab and >= 0)
            throw Fault(index + tab, "a tab cannot stand in a plain value; put it in quotes.");
        return Math.Max(index, end - 1);
    }

    private UserErrorException Fault(int index, string message)
    {
        var before = text.AsSpan(0, index);
        var position = new YamlPosition(before.Count('\n') + 1, index - before.LastIndexOf('\n'));
        return new UserErrorException($"{YamlReader.At(file, position)}: {message}");
    }

    private static bool IsPrintable(int rune) =>
        rune is '\t' or '\n' or '\r' or (>= 0x20 and <= 0x7E) or 0x85 or (>= 0xA0 and <= 0xD7FF) or (>= 0xE000 and <= 0xFFFD) or >= 0x10000;
}
