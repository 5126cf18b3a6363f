using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Fast;

/// <summary>
/// A word as two numbers. Up to eight characters the numbers and the length are the word itself, so comparing them is
/// comparing words; for a longer one they are a hash.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct WordKey
{
    /// <summary>Longest word that its key holds whole, in UTF-16 code units.</summary>
    public const int WholeLength = 8;

    private const ulong FirstMultiplier = 0x9FB21C651E98DF25, SecondMultiplier = 0x9E3779B97F4A7C15;

    /// <summary>Takes a word that is not empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public WordKey(ReadOnlySpan<char> word)
    {
        Length = word.Length;
        ref var bytes = ref Unsafe.As<char, byte>(ref MemoryMarshal.GetReference(word));
        var size = word.Length * 2;
        if (size > WholeLength * 2)
        {
            Low = HashLong(ref bytes, size);
        }
        else if (size >= 8)
        {
            // The two reads overlap below eight characters; with the length they still tell words apart.
            Low = Unsafe.ReadUnaligned<ulong>(ref bytes);
            High = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, size - 8));
        }
        else if (size >= 4)
        {
            Low = Unsafe.ReadUnaligned<uint>(ref bytes) | ((ulong)Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref bytes, size - 4)) << 32);
        }
        else
        {
            Low = word[0];
        }
    }

    /// <summary>First number.</summary>
    public ulong Low { get; }

    /// <summary>Second number; 0 for a long word.</summary>
    public ulong High { get; }

    /// <summary>Length of the word in UTF-16 code units.</summary>
    public int Length { get; }

    /// <summary>A well mixed number for a hash table.</summary>
    public uint Mixed
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var mixed = ((Low + (ulong)Length) * FirstMultiplier) ^ ((High ^ (Low >> 32)) * SecondMultiplier);
            return (uint)((mixed ^ (mixed >> 29)) * FirstMultiplier >> 32);
        }
    }

    private static ulong HashLong(ref byte bytes, int size)
    {
        ulong hash = (uint)size;
        for (var i = 0; i + 8 < size; i += 8)
        {
            hash = (hash ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, i))) * FirstMultiplier;
            hash ^= hash >> 29;
        }
        hash = (hash ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, size - 8))) * FirstMultiplier;
        return hash ^ (hash >> 32);
    }
}
