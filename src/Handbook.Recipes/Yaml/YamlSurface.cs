namespace Handbook.Recipes.Yaml;

/// <summary>What PyYAML refuses and YamlDotNet lets pass: unprintable characters, tabs between tokens, a plain <c>%</c>.</summary>
internal sealed class YamlSurface(string text, string file)
{
    private readonly List<(int Start, int End)> scalars = [];

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

    /// <summary>Notes the place of a scalar: inside quotes and blocks a tab is text.</summary>
    public void Add(int start, int end, bool isPlain)
    {
        if (!isPlain)
            scalars.Add((start, end));
        else if (start < text.Length && text[start] == '%')
            throw Fault(start, "a plain value cannot begin with '%'; put it in quotes.");
    }

    /// <summary>Refuses tabs outside the scalars noted and outside comments.</summary>
    public void CheckTabs()
    {
        if (!text.Contains('\t', StringComparison.Ordinal))
            return;
        scalars.Sort();
        var next = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (next < scalars.Count && i >= scalars[next].Start)
                i = Math.Max(i, scalars[next++].End - 1);
            else if (text[i] == '\t')
                throw Fault(i, "a tab cannot stand between values; use spaces.");
            else if (text[i] == '#' && (i == 0 || text[i - 1] is ' ' or '\n' or '\r'))
                i = text.IndexOf('\n', i) is var end and >= 0 ? end : text.Length;
        }
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
