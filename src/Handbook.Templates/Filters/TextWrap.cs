using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>
/// Python's <c>textwrap.wrap</c> with tabs and whitespace kept, as <c>wordwrap</c> calls it: stretches of the line, none copied before its
/// place is known, so that a word of millions of characters takes linear time.
/// </summary>
internal sealed class TextWrap
{
    private readonly string _line;
    private readonly bool _isUnits;
    private readonly int _width;
    private readonly Stack<TextRange> _chunks;

    private TextWrap(string line, int width, bool breakOnHyphens)
    {
        (_line, _width, _isUnits) = (line, width, CodePoints.AreUnits(line));
        _chunks = new Stack<TextRange>(Enumerable.Reverse(Chunks(line, breakOnHyphens)));
    }

    public static List<string> Wrap(string line, int width, bool breakLongWords, bool breakOnHyphens) =>
        new TextWrap(line, width, breakOnHyphens).Lines(breakLongWords, breakOnHyphens);

    private List<string> Lines(bool breakLongWords, bool breakOnHyphens)
    {
        var lines = new List<string>();
        while (_chunks.Count > 0)
        {
            if (lines.Count > 0 && IsBlank(_chunks.Peek()))
                _chunks.Pop();
            var current = new List<TextRange>();
            var length = 0;
            while (_chunks.TryPeek(out var next) && CountUpTo(next, _width - length) is var count && length + count <= _width)
            {
                current.Add(_chunks.Pop());
                length += count;
            }
            if (_chunks.TryPeek(out var tooLong) && CountUpTo(tooLong, _width) > _width)
                HandleLongWord(current, _width - length, breakLongWords, breakOnHyphens);
            if (current.Count > 0 && IsBlank(current[^1]))
                current.RemoveAt(current.Count - 1);
            if (current.Count > 0)
                lines.Add(_line[current[0].Start..current[^1].End]);
        }
        return lines;
    }

    private void HandleLongWord(List<TextRange> current, int space, bool breakWords, bool breakHyphens)
    {
        if (!breakWords)
        {
            if (current.Count == 0)
                current.Add(_chunks.Pop());
            return;
        }
        var word = _chunks.Pop();
        var end = word.Start;
        for (var count = 0; count < space && end < word.End; count++)
            end += _isUnits ? 1 : CodePoints.UnitsAt(_line, end);
        if (breakHyphens && end < word.End)
        {
            var hyphen = _line.AsSpan(word.Start, end - word.Start).LastIndexOf('-');
            if (hyphen > 0 && _line.AsSpan(word.Start, hyphen).IndexOfAnyExcept('-') >= 0)
                end = word.Start + hyphen + 1;
        }
        current.Add(new TextRange(word.Start, end));
        _chunks.Push(new TextRange(end, word.End));
    }

    /// <summary>Code points of a stretch, counted no further than one beyond <paramref name="most"/>.</summary>
    private int CountUpTo(TextRange chunk, int most)
    {
        if (_isUnits)
            return chunk.Length;
        var count = 0;
        for (var i = chunk.Start; i < chunk.End && count <= most; count++)
            i += CodePoints.UnitsAt(_line, i);
        return count;
    }

    private bool IsBlank(TextRange chunk)
    {
        for (var i = chunk.Start; i < chunk.End; i++)
        {
            if (!PythonCharacters.IsSpace(_line[i]))
                return false;
        }
        return true;
    }

    /// <summary>
    /// The stretches that textwrap's own pattern cuts: white space, words, words to a hyphen between letters, dashes between words.
    /// </summary>
    private static List<TextRange> Chunks(string line, bool breakOnHyphens)
    {
        var chunks = new List<TextRange>();
        for (var i = 0; i < line.Length;)
        {
            var start = i++;
            if (IsTextWrapSpace(line[start]))
            {
                while (i < line.Length && IsTextWrapSpace(line[i])) i++;
            }
            else if (breakOnHyphens && DashesAt(line, start) is > 0 and var dashes)
            {
                i = start + dashes;
            }
            else
            {
                while (i < line.Length && !IsTextWrapSpace(line[i])
                    && !(breakOnHyphens && (CutsBehind(line, i) || DashesAt(line, i) > 0))) i++;
                i += breakOnHyphens && i < line.Length && CutsBehind(line, i) ? 1 : 0;
            }
            chunks.Add(new TextRange(start, i));
        }
        return chunks;
    }

    /// <summary>How many dashes, two at least, stand here between a word or its punctuation and a word; 0 for none.</summary>
    private static int DashesAt(string line, int at)
    {
        if (line[at] != '-' || at == 0 || !IsWordOrPunctuation(line[at - 1]))
            return 0;
        var end = at;
        while (end < line.Length && line[end] == '-') end++;
        return end - at >= 2 && end < line.Length && IsWord(line[end]) ? end - at : 0;
    }

    /// <summary>
    /// Whether a word is cut behind the hyphen here: two letters before it, or a letter and a hyphen one before; two letters after.
    /// </summary>
    private static bool CutsBehind(string line, int at) => line[at] == '-' && at >= 2
        && ((IsLetter(line[at - 1]) && IsLetter(line[at - 2]))
            || (at >= 3 && IsWordOrPunctuation(line[at - 1]) && line[at - 2] == '-' && IsLetter(line[at - 3])))
        && at + 2 < line.Length && IsLetter(line[at + 1])
        && (IsLetter(line[at + 2]) || (line[at + 2] == '-' && at + 3 < line.Length && IsLetter(line[at + 3])));

    private static bool IsWord(char unit) => char.IsLetterOrDigit(unit) || char.IsNumber(unit) || unit == '_';

    private static bool IsLetter(char unit) => IsWord(unit) && !char.IsDigit(unit);

    private static bool IsWordOrPunctuation(char unit) => IsWord(unit) || unit is '!' or '"' or '\'' or '&' or '.' or ',' or '?';

    private static bool IsTextWrapSpace(char unit) => unit is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';
}
