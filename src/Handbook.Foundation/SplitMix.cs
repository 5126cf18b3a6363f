using System.Runtime.CompilerServices;

namespace Handbook;

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): numbers that look random, out of neighbouring ones.</summary>
public static class SplitMix
{
    /// <summary>The step between states: 2^64 over the golden ratio.</summary>
    public const ulong Step = 0x9E3779B97F4A7C15UL;

    /// <summary>The finaliser: every bit of the value moves half the bits of the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
