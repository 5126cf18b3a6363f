namespace Handbook.Templates;

/// <summary>
/// What a template may use up. Templates come from strangers' model repositories, so every loop, buffer and recursion is
/// counted, and every operation on texts, lists or numbers pays for their size; the defaults are thousands of times what a published chat
/// template needs. Under them a rendering ends within about five seconds of one processor's time and 1.5 GB, whatever the template does.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>The limits used when none are given.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>
    /// Steps of one rendering: evaluated expressions, loop turns, elements looked at, an eighth of every character made, a quarter
    /// of every one handled by itself and a 64th of every one searched.
    /// </summary>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>Longest text, in UTF-16 units, that one rendering or any string inside it may reach.</summary>
    public int MaxTextLength { get; init; } = 32_000_000;

    /// <summary>Nested macro calls, recursive loops and nested containers; Python's own recursion limit allows about as many.</summary>
    public int MaxDepth { get; init; } = 160;

    /// <summary>Elements of a <c>range()</c>, as Jinja2's sandbox has it.</summary>
    public int MaxRange { get; init; } = 100_000;

    /// <summary>Nested statements and expressions in a template's source.</summary>
    public int MaxNesting { get; init; } = 120;

    /// <summary>Longest template source in UTF-16 units.</summary>
    public int MaxSourceLength { get; init; } = 4_000_000;

    /// <summary>Largest integer, in bits, that arithmetic may reach.</summary>
    public int MaxIntegerBits { get; init; } = 16_384;
}
