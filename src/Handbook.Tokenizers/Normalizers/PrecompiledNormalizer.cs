using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Handbook.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's compiled character map: a double-array trie (darts-clone) from strings to offsets of zero-ended
/// replacements. Applied grapheme by grapheme, and character by character where a grapheme has no entry.
/// </summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    /// <summary>Longer graphemes, in UTF-8 bytes, are not looked up whole.</summary>
    private const int LongestGrapheme = 5;

    private readonly uint[] _trie;
    private readonly byte[] _replacements;

    /// <summary>Takes the map: a little-endian length, so many bytes of trie, and the replacements.</summary>
    /// <exception cref="InvalidDataException">The length does not fit.</exception>
    public PrecompiledNormalizer(ReadOnlySpan<byte> map)
    {
        if (map.IsEmpty)
        {
            (_trie, _replacements) = ([], []);
            return;
        }
        var length = map.Length < 4 ? -1L : BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (length < 0 || length % 4 != 0 || length > map.Length - 4)
            throw new InvalidDataException("precompiled_charsmap: its length does not fit");
        _trie = new uint[length / 4];
        for (var i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + (i * 4))..]);
        _replacements = map[(int)(4 + length)..].ToArray();
    }

    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        if (_trie.Length == 0)
            return;
        var changes = new List<(int CodePoint, int Change)>(piece.Length);
        var isChanged = false;
        for (var i = 0; i < piece.Length;)
        {
            var length = StringInfo.GetNextTextElementLength(piece.Text[i..]);
            var grapheme = piece.Text.Slice(i, length);
            i += length;
            if (Encoding.UTF8.GetByteCount(grapheme) <= LongestGrapheme && Find(grapheme) is { } whole)
            {
                piece.CheckGrowth(changes.Count + (long)whole.Length);
                Replace(changes, grapheme, whole);
                isChanged = true;
                continue;
            }
            isChanged |= ReplaceCharacters(piece, changes, grapheme);
        }
        if (isChanged)
            piece.Transform(changes);
    }

    private bool ReplaceCharacters(TextPiece piece, List<(int, int)> changes, ReadOnlySpan<char> grapheme)
    {
        var isChanged = false;
        for (var k = 0; k < grapheme.Length;)
        {
            var codePoint = CharClasses.CodePointAt(grapheme, k, out var size);
            if (Find(grapheme.Slice(k, size)) is { } replacement)
            {
                piece.CheckGrowth(changes.Count + (long)replacement.Length);
                Replace(changes, grapheme.Slice(k, size), replacement);
                isChanged = true;
            }
            else
            {
                changes.Add((codePoint, 0));
            }
            k += size;
        }
        return isChanged;
    }

    /// <summary>New characters take the old ones' places; extra ones are insertions, missing ones are swallowed by the last.</summary>
    private static void Replace(List<(int CodePoint, int Change)> changes, ReadOnlySpan<char> old, string replacement)
    {
        var (oldCount, newCount) = (Count(old), Count(replacement));
        var difference = newCount - oldCount;
        var number = 0;
        foreach (var rune in replacement.EnumerateRunes())
            changes.Add((rune.Value, number++ >= oldCount ? 1 : 0));
        if (difference < 0 && changes.Count > 0)
            changes[^1] = (changes[^1].CodePoint, changes[^1].Change + difference);
    }

    private static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }

    /// <summary>The replacement for the shortest entry that <paramref name="text"/> begins with, as the library takes it.</summary>
    private string? Find(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!Encoding.UTF8.TryGetBytes(text, bytes, out var count))
            return null;
        var node = Offset(_trie[0]);
        foreach (var value in bytes[..count])
        {
            node ^= value;
            if (value == 0 || node >= (uint)_trie.Length || Label(_trie[node]) != value)
                return null;
            var unit = _trie[node];
            node ^= Offset(unit);
            if ((unit >> 8 & 1) != 0 && node < (uint)_trie.Length)
                return Replacement(_trie[node] & 0x7FFFFFFF);
        }
        return null;
    }

    private string? Replacement(uint start)
    {
        if (start >= _replacements.Length)
            return null;
        var rest = _replacements.AsSpan((int)start);
        var end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    private static uint Label(uint unit) => unit & 0x800000FF;

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & (1 << 9)) >> 6);
}
