using System.Text;

namespace Handbook.Tokenizers;

/// <summary>
/// A part of the text on its way to the model: its characters as normalized so far and, for each, where in the original
/// text it comes from. This is the plain definition of encoding, after the library's NormalizedString; the fast encoders
/// must agree with it.
/// </summary>
internal sealed class TextPiece
{
    /// <summary>Most characters a normalizer may make of one; beyond that it doubles texts, or means to.</summary>
    private const int MostGrowth = 16;

    private readonly long _most;
    private char[] _units;
    private TextRange[] _sources;

    private TextPiece(char[] units, TextRange[] sources, int originalStart, long most)
    {
        _most = most;
        _units = units;
        _sources = sources;
        OriginalStart = originalStart;
    }

    /// <summary>The part [<paramref name="start"/>, <paramref name="end"/>) of the original text, not changed yet.</summary>
    public static TextPiece FromOriginal(string text, int start, int end)
    {
        var sources = new TextRange[end - start];
        for (var i = start; i < end;)
        {
            CharClasses.CodePointAt(text, i, out var length);
            for (var k = 0; k < length; k++)
                sources[i + k - start] = new TextRange(i, i + length);
            i += length;
        }
        return new TextPiece(text.AsSpan(start, end - start).ToArray(), sources, start, 4096 + ((long)MostGrowth * sources.Length));
    }

    /// <summary>The normalized characters, in UTF-16.</summary>
    public ReadOnlySpan<char> Text => _units;

    /// <summary>Number of UTF-16 code units.</summary>
    public int Length => _units.Length;

    /// <summary>Where in the original text the piece began when it was cut.</summary>
    public int OriginalStart { get; }

    /// <summary>The added token this piece is, or -1.</summary>
    public int TokenId { get; private init; } = -1;

    /// <summary>Original range of the normalized code units [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public TextRange Source(int start, int end) =>
        start >= end ? new TextRange(OriginalStart, OriginalStart) : new TextRange(_sources[start].Start, _sources[end - 1].End);

    /// <summary>A part of this piece; <paramref name="tokenId"/> marks it as an added token.</summary>
    public TextPiece Slice(int start, int end, int tokenId = -1) =>
        new(_units[start..end], _sources[start..end], start < end ? _sources[start].Start : OriginalStart, _most) { TokenId = tokenId };

    /// <summary>Refuses a normalizer that makes so many characters of the text.</summary>
    /// <exception cref="UserErrorException">There are too many.</exception>
    public void CheckGrowth(long length)
    {
        if (length > _most)
            throw new UserErrorException(
                $"tokenizer.json: the normalizer makes more than {_most} characters of {(_most - 4096) / MostGrowth}; it cannot be used.");
    }

    /// <summary>
    /// Replaces all characters. Each change is a character and how it relates to the old ones: 0 takes the next old
    /// character's place, above 0 is inserted and shares the range of the old character before it, -n takes the next one's
    /// place and swallows n more. <paramref name="dropped"/> characters at the front are left out first.
    /// </summary>
    public void Transform(IEnumerable<(int CodePoint, int Change)> changes, int dropped = 0)
    {
        var units = new List<char>(_units.Length);
        var sources = new List<TextRange>(_units.Length);
        var next = 0;
        for (; dropped > 0; dropped--)
            next += LengthAt(next);
        Span<char> buffer = stackalloc char[2];
        foreach (var (codePoint, change) in changes)
        {
            var source = change > 0
                ? (next == 0 ? new TextRange(OriginalStart, OriginalStart) : _sources[next - 1])
                : (next < _sources.Length ? _sources[next] : Source(0, _sources.Length));
            for (var taken = change; taken <= 0; taken++)
                next += LengthAt(next);
            CheckGrowth(units.Count);
            var length = new Rune(codePoint).EncodeToUtf16(buffer);
            for (var i = 0; i < length; i++)
            {
                units.Add(buffer[i]);
                sources.Add(source);
            }
        }
        (_units, _sources) = (units.ToArray(), sources.ToArray());
    }

    /// <summary>Puts <paramref name="prefix"/> in front; it shares the range of the first character.</summary>
    public void Prepend(string prefix)
    {
        if (_units.Length == 0 || prefix.Length == 0)
            return;
        CheckGrowth((long)prefix.Length + _units.Length);
        var first = new TextRange[prefix.Length];
        Array.Fill(first, _sources[0]);
        (_units, _sources) = ([.. prefix, .. _units], [.. first, .. _sources]);
    }

    /// <summary>Replaces each character by one other.</summary>
    public void Map(Func<int, int> map)
    {
        var changes = new List<(int, int)>(_units.Length);
        for (var i = 0; i < _units.Length;)
        {
            changes.Add((map(CharClasses.CodePointAt(_units, i, out var length)), 0));
            i += length;
        }
        Transform(changes);
    }

    /// <summary>Leaves out all but the code units [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public void Keep(int start, int end) => (_units, _sources) = (_units[start..end], _sources[start..end]);

    /// <summary>Leaves out the characters that <paramref name="keep"/> refuses.</summary>
    public void Filter(Func<int, bool> keep)
    {
        var units = new List<char>(_units.Length);
        var sources = new List<TextRange>(_units.Length);
        for (var i = 0; i < _units.Length;)
        {
            var codePoint = CharClasses.CodePointAt(_units, i, out var length);
            if (keep(codePoint))
            {
                units.AddRange(_units.AsSpan(i, length));
                sources.AddRange(_sources.AsSpan(i, length));
            }
            i += length;
        }
        (_units, _sources) = (units.ToArray(), sources.ToArray());
    }

    /// <summary>Replaces every match by <paramref name="content"/>, which takes the range of the match's last character.</summary>
    public void Replace(IReadOnlyList<PatternPart> parts, string content)
    {
        var units = new List<char>(_units.Length);
        var sources = new List<TextRange>(_units.Length);
        foreach (var part in parts)
        {
            if (!part.IsMatch)
            {
                units.AddRange(_units.AsSpan(part.Start, part.End - part.Start));
                sources.AddRange(_sources.AsSpan(part.Start, part.End - part.Start));
                continue;
            }
            var source = part.End == 0 ? new TextRange(OriginalStart, OriginalStart) : _sources[part.End - 1];
            CheckGrowth((long)units.Count + content.Length);
            foreach (var unit in content)
            {
                units.Add(unit);
                sources.Add(source);
            }
        }
        (_units, _sources) = (units.ToArray(), sources.ToArray());
    }

    private int LengthAt(int index)
    {
        if (index >= _units.Length)
            return 0;
        CharClasses.CodePointAt(_units, index, out var length);
        return length;
    }
}
