using Handbook.Templates.Syntax;

namespace Handbook.Templates.Nodes;

/// <summary>How a statement ended: on to the next one, or out of or around the innermost loop.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>Something that has a value.</summary>
internal abstract class Expression(SourcePosition at)
{
    public SourcePosition At { get; } = at;

    /// <summary>Jinja2's name of the node in "can't assign to" messages.</summary>
    public virtual string Kind => GetKind();

    public abstract object? Evaluate(RenderContext context, Scope scope);

    private string GetKind() => this switch
    {
        Constant => "const",
        Collection { IsList: true } => "list",
        Dictionary => "dict",
        _ => "expression",
    };
}

/// <summary>Something that writes text or sets names.</summary>
internal abstract class Statement(SourcePosition at)
{
    public SourcePosition At { get; } = at;

    public abstract Flow Execute(RenderContext context, Scope scope, OutputBuffer output);

    /// <summary>Runs statements in order until one leaves the loop around them.</summary>
    public static Flow Run(IReadOnlyList<Statement> body, RenderContext context, Scope scope, OutputBuffer output)
    {
        for (var i = 0; i < body.Count; i++)
        {
            var statement = body[i];
            context.Enter(statement.At);
            var flow = statement.Execute(context, scope, output);
            if (flow != Flow.Next)
                return flow;
        }
        return Flow.Next;
    }

    /// <summary>Runs a body into a buffer of its own and returns its text.</summary>
    public static string Capture(IReadOnlyList<Statement> body, RenderContext context, Scope scope)
    {
        var buffer = new OutputBuffer(context);
        Run(body, context, scope, buffer);
        return buffer.ToString();
    }
}
