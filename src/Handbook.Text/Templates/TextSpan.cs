namespace Handbook.Text.Templates;

/// <summary>A stretch of text: <see cref="Start"/> is inside, <see cref="End"/> is not; both are UTF-16 positions.</summary>
/// <param name="Start">First position inside.</param>
/// <param name="End">First position behind.</param>
public readonly record struct TextSpan(int Start, int End)
{
    /// <summary>UTF-16 units covered.</summary>
    public int Length => End - Start;
}
