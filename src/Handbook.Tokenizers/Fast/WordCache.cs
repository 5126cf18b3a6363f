using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Fast;

/// <summary>
/// Remembers the tokens of words. Natural text says the same few thousand words again and again, so most of encoding is a
/// look-up here. Memory is bounded: a full cache starts anew. Not for several threads at once.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer words are not kept.</summary>
    public const int LongestWord = 64;

    private const int Slots = 1 << 16;
    private const int MostWords = Slots / 2;
    private const int MostKeyUnits = 1 << 20;
    private const int MostValues = 1 << 20;

    private readonly Entry[] _entries = new Entry[Slots];
    private char[] _keys = new char[1 << 12];
    private int[] _values = new int[1 << 12];
    private int _words, _keyEnd, _valueEnd;

    /// <summary>
    /// Appends the tokens of a word that begins at <paramref name="position"/> of the text; false when the word is not known.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAppend(ReadOnlySpan<char> word, in WordKey key, int position, TokenBuffer output)
    {
        var entries = _entries;
        for (var slot = key.Mixed & (Slots - 1); ; slot = (slot + 1) & (Slots - 1))
        {
            ref var entry = ref entries[slot];
            if (entry.TokenCount == 0)
                return false;
            if (entry.Low != key.Low || entry.Length != key.Length || !IsRest(entry, word, key))
                continue;
            if (entry.ValueStart < 0)
                output.Add(entry.FirstId, position, position + word.Length);
            else
                AppendSeveral(entry, position, output);
            return true;
        }
    }

    /// <summary>Keeps the tokens of a word; their ranges are relative to the word.</summary>
    public void Add(ReadOnlySpan<char> word, in WordKey key, ReadOnlySpan<int> ids, ReadOnlySpan<TextRange> ranges)
    {
        if (ids.IsEmpty || word.Length > LongestWord)
            return;
        if (_words == MostWords || _keyEnd + word.Length > MostKeyUnits || _valueEnd + ids.Length * 2 > MostValues)
            Clear();
        var slot = key.Mixed & (Slots - 1);
        while (_entries[slot].TokenCount != 0)
            slot = (slot + 1) & (Slots - 1);
        var isWhole = ids.Length == 1 && ranges[0].Length == word.Length;
        var isLong = word.Length > WordKey.WholeLength;
        _entries[slot] = new Entry
        {
            Low = key.Low,
            High = isLong ? (ulong)_keyEnd : key.High,
            Length = (ushort)word.Length,
            TokenCount = (ushort)ids.Length,
            FirstId = ids[0],
            ValueStart = isWhole ? -1 : _valueEnd,
        };
        _words++;
        if (isLong)
        {
            Grow(ref _keys, _keyEnd + word.Length);
            word.CopyTo(_keys.AsSpan(_keyEnd));
            _keyEnd += word.Length;
        }
        if (isWhole)
            return;
        Grow(ref _values, _valueEnd + ids.Length * 2);
        for (var i = 0; i < ids.Length; i++)
        {
            _values[_valueEnd++] = ids[i];
            _values[_valueEnd++] = (ranges[i].Start << 16) | ranges[i].End;
        }
    }

    private bool IsRest(in Entry entry, ReadOnlySpan<char> word, in WordKey key) => word.Length <= WordKey.WholeLength
        ? entry.High == key.High
        : _keys.AsSpan((int)entry.High, word.Length).SequenceEqual(word);

    private void AppendSeveral(in Entry entry, int position, TokenBuffer output)
    {
        output.Reserve(entry.TokenCount);
        var (ids, ranges, at) = (output.Ids, output.Ranges, output.Count);
        var values = _values.AsSpan(entry.ValueStart, entry.TokenCount * 2);
        for (var i = 0; i < values.Length; i += 2, at++)
        {
            ids[at] = values[i];
            ranges[at] = new TextRange(position + (values[i + 1] >> 16), position + (values[i + 1] & 0xFFFF));
        }
        output.Advance(entry.TokenCount);
    }

    private void Clear()
    {
        Array.Clear(_entries);
        (_words, _keyEnd, _valueEnd) = (0, 0, 0);
    }

    private static void Grow<T>(ref T[] array, int length)
    {
        if (length > array.Length)
            Array.Resize(ref array, Math.Max(length, array.Length * 2));
    }

    /// <summary>One word: half a cache line. A word without tokens is an empty slot, and never kept.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Low;

        /// <summary>The key's second number, or where a long word stands among the keys.</summary>
        public ulong High;
        public int FirstId;

        /// <summary>Where ids and ranges stand among the values; -1 for one token that is the whole word.</summary>
        public int ValueStart;
        public ushort Length;
        public ushort TokenCount;
    }
}
