using System.Runtime.InteropServices;

namespace Handbook;

/// <summary>Half-open range of UTF-16 code units (the indices of a .NET string).</summary>
/// <param name="Start">First code unit.</param>
/// <param name="End">One past the last code unit.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TextRange(int Start, int End)
{
    /// <summary>Number of code units.</summary>
    public int Length => End - Start;
}
