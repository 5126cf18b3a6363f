namespace Handbook.Templates;

/// <summary>Line and column in the template, from 1.</summary>
internal readonly record struct SourcePosition(int Line, int Column)
{
    /// <summary>Most characters of a reason; a template's own words may have millions.</summary>
    private const int LongestReason = 2000;

    public TemplateException Fail(string kind, string reason) =>
        new(kind, reason.Length > LongestReason ? reason[..LongestReason] + "..." : reason, Line, Column);

    public TemplateException SyntaxError(string reason) => Fail("TemplateSyntaxError", reason);
}
