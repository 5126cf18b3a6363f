namespace Handbook.Templates;

/// <summary>
/// A template that cannot be read or rendered. It is the only exception parsing and rendering throw, whatever the
/// template holds, and a mistake that a person can mend.
/// </summary>
public sealed class TemplateException : UserErrorException
{
    /// <summary>Reports a fault of a template.</summary>
    /// <param name="kind">The name Jinja2 or Python gives this fault, such as <c>UndefinedError</c>.</param>
    /// <param name="reason">Jinja2's own wording.</param>
    /// <param name="line">Line in the template, from 1.</param>
    /// <param name="column">UTF-16 column in that line, from 1.</param>
    public TemplateException(string kind, string reason, int line, int column)
        : base($"chat template line {line}, column {column}: {kind}: {reason}")
    {
        Kind = kind;
        Reason = reason;
        Line = line;
        Column = column;
    }

    /// <summary>
    /// The name Jinja2 or Python gives this fault: <c>TemplateSyntaxError</c>, <c>UndefinedError</c>, <c>TypeError</c> ...;
    /// <c>TemplateError</c> is the template's own <c>raise_exception</c>, <c>LimitError</c> one of <see cref="TemplateLimits"/>.
    /// </summary>
    public string Kind { get; }

    /// <summary>What is wrong, in Jinja2's words; for <c>TemplateError</c>, the template's.</summary>
    public string Reason { get; }

    /// <summary>Line in the template, from 1.</summary>
    public int Line { get; }

    /// <summary>Column in that line in UTF-16 units, from 1.</summary>
    public int Column { get; }
}
