using Handbook.Text.Templates.Values;

namespace Handbook.Text.Templates.Filters;

/// <summary>Python's <c>textwrap.wrap</c> with tabs and whitespace kept, as <c>wordwrap</c> calls it.</summary>
internal static class TextWrap
{
    public static List<string> Wrap(string line, int width, bool breakLongWords, bool breakOnHyphens)
    {
        var chunks = new Stack<string>(Enumerable.Reverse(Chunks(line, breakOnHyphens)));
        var lines = new List<string>();
        while (chunks.Count > 0)
        {
            if (lines.Count > 0 && IsBlank(chunks.Peek()))
                chunks.Pop();
            var current = new List<string>();
            var length = 0;
            while (chunks.TryPeek(out var next) && length + CodePoints.Length(next) <= width)
            {
                current.Add(chunks.Pop());
                length += CodePoints.Length(next);
            }
            if (chunks.TryPeek(out var tooLong) && CodePoints.Length(tooLong) > width)
                HandleLongWord(chunks, current, width - length, width, breakLongWords, breakOnHyphens);
            if (current.Count > 0 && IsBlank(current[^1]))
                current.RemoveAt(current.Count - 1);
            if (current.Count > 0)
                lines.Add(string.Concat(current));
        }
        return lines;
    }

    private static void HandleLongWord(Stack<string> chunks, List<string> current, int space, int width, bool breakWords, bool breakHyphens)
    {
        space = width < 1 ? 1 : space;
        if (!breakWords)
        {
            if (current.Count == 0)
                current.Add(chunks.Pop());
            return;
        }
        var word = chunks.Pop();
        var end = CodePoints.ToUnits(word, Math.Max(space, 0));
        if (breakHyphens && CodePoints.Length(word) > space)
        {
            var hyphen = word[..end].LastIndexOf('-');
            if (hyphen > 0 && word.AsSpan(0, hyphen).IndexOfAnyExcept('-') >= 0)
                end = hyphen + 1;
        }
        current.Add(word[..end]);
        chunks.Push(word[end..]);
    }

    private static bool IsBlank(string chunk) => chunk.All(PythonCharacters.IsSpace);

    /// <summary>Runs of whitespace and words; a word is cut behind a hyphen between letters.</summary>
    private static List<string> Chunks(string line, bool breakOnHyphens)
    {
        var chunks = new List<string>();
        for (var i = 0; i < line.Length;)
        {
            var start = i;
            var blank = IsTextWrapSpace(line[i]);
            while (i < line.Length && IsTextWrapSpace(line[i]) == blank)
            {
                i++;
                if (!blank && breakOnHyphens && CutsAt(line, start, i))
                    break;
            }
            chunks.Add(line[start..i]);
        }
        return chunks;
    }

    private static bool CutsAt(string line, int start, int i) => line[i - 1] == '-' && i - start >= 3 && i + 1 < line.Length
        && char.IsLetter(line[i - 2]) && IsWord(line[i - 3]) && char.IsLetter(line[i]) && (IsWord(line[i + 1]) || line[i + 1] == '-');

    private static bool IsWord(char unit) => char.IsLetterOrDigit(unit) || unit == '_';

    private static bool IsTextWrapSpace(char unit) => unit is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';
}
