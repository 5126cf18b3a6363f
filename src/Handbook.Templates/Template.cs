using Handbook.Templates.Nodes;
using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates;

/// <summary>What one message gave to the text.</summary>
/// <param name="Message">The message's place in the conversation, from 0; -1 for one that the template made up of others.</param>
/// <param name="Role">The message's role.</param>
/// <param name="Range">UTF-16 range of the text.</param>
public readonly record struct RenderedTurn(int Message, string Role, TextRange Range);

/// <summary>A rendered template: its text, and the spans of its <c>{% generation %}</c> blocks in order.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="GenerationSpans">
/// UTF-16 spans of <paramref name="Text"/>, one for each executed block. As transformers counts them, a block inside a macro
/// or set block starts where the outermost text stood.
/// </param>
/// <param name="Turns">
/// What each pass of a loop over the messages wrote, in order; empty when the template does not loop over them at its
/// outermost level.
/// </param>
public sealed record RenderedTemplate(string Text, IReadOnlyList<TextRange> GenerationSpans, IReadOnlyList<RenderedTurn> Turns)
{
    /// <summary>True when a generation block stood inside a macro or set block, so that its span is not where its text ended up.</summary>
    public bool HasInnerGenerations { get; init; }
}

/// <summary>
/// A Jinja2 template with the behaviour of transformers' sandbox: <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls,
/// <c>{% generation %}</c>, <c>tojson</c> without HTML escapes, <c>raise_exception</c> and <c>strftime_now</c>. Read once,
/// rendered from any number of threads. A template runs no code but its own, and that under <see cref="TemplateLimits"/>.
/// </summary>
public sealed class Template
{
    private readonly Statement[] _body;
    private readonly IReadOnlyDictionary<string, Block> _blocks;
    private readonly TemplateLimits _limits;

    private Template(string source, TemplateLimits limits)
    {
        (_body, _blocks) = TemplateParser.Parse(source, limits);
        (Source, _limits) = (source, limits);
    }

    /// <summary>The template as it was read.</summary>
    public string Source { get; }

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">The template has a fault.</exception>
    public static Template Parse(string source, TemplateLimits? limits = null) => new(source, limits ?? TemplateLimits.Default);

    /// <summary>Renders with the given variables; a name that is not among them is undefined.</summary>
    /// <param name="variables">What the template may see.</param>
    /// <param name="clock">The clock of <c>strftime_now</c>; the system's when null.</param>
    /// <exception cref="TemplateException">The template fails on these variables or exceeds its limits.</exception>
    public RenderedTemplate Render(TemplateVariables variables, TimeProvider? clock = null) =>
        Render(variables, clock, marksGenerations: false);

    /// <summary>As the other, with <see cref="GenerationMarks"/> around the text of each generation block where it is asked for.</summary>
    internal RenderedTemplate Render(TemplateVariables variables, TimeProvider? clock, bool marksGenerations)
    {
        var context = new RenderContext(_limits, clock ?? TimeProvider.System, _blocks) { MarksGenerations = marksGenerations };
        variables.CopyTo(context.Root);
        var outer = context.Budget.Enter();
        try
        {
            Statement.Run(_body, context, context.Root, context.Output);
        }
        catch (PythonError error)
        {
            throw context.At.Fail(error.Kind, error.Message);
        }
        catch (InsufficientExecutionStackException)
        {
            throw context.At.Fail("RecursionError", "maximum recursion depth exceeded");
        }
        finally
        {
            Budget.Leave(outer);
        }
        var text = context.Output.ToString();
        return new RenderedTemplate(text, Spans(text, context.Generations), context.Turns)
        {
            HasInnerGenerations = context.HasInnerGenerations,
        };
    }

    private static List<TextRange> Spans(string text, List<(int Start, int CodePoints)> generations)
    {
        var spans = new List<TextRange>(generations.Count);
        foreach (var (start, count) in generations)
            spans.Add(new TextRange(start, start + CodePoints.ToUnits(text.AsSpan(Math.Min(start, text.Length)), count)));
        return spans;
    }
}
