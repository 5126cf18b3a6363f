using System.Runtime.InteropServices;

namespace Handbook.Tokenizers;

/// <summary>A stretch of text that a pattern matched, or one between two matches; parts cover the text without gaps.</summary>
/// <param name="Start">First UTF-16 code unit.</param>
/// <param name="End">One past the last code unit.</param>
/// <param name="IsMatch">Whether the pattern matched it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PatternPart(int Start, int End, bool IsMatch);
