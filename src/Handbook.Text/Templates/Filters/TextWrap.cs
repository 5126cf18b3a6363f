using Handbook.Text.Templates.Values;
using Handbook.Text.Tokenizers;

namespace Handbook.Text.Templates.Filters;

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

    /// <summary>Runs of whitespace and words; a word is cut behind a hyphen between letters.</summary>
    private static List<TextRange> Chunks(string line, bool breakOnHyphens)
    {
        var chunks = new List<TextRange>();
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
            chunks.Add(new TextRange(start, i));
        }
        return chunks;
    }

    private static bool CutsAt(string line, int start, int i) => line[i - 1] == '-' && i - start >= 3 && i + 1 < line.Length
        && char.IsLetter(line[i - 2]) && IsWord(line[i - 3]) && char.IsLetter(line[i]) && (IsWord(line[i + 1]) || line[i + 1] == '-');

    private static bool IsWord(char unit) => char.IsLetterOrDigit(unit) || unit == '_';

    private static bool IsTextWrapSpace(char unit) => unit is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';
}
