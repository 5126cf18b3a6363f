using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

/// <summary>Template text between tags.</summary>
internal sealed class Data(SourcePosition at, string text) : Statement(at)
{
    public string Text => text;

    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ value }}</c>.</summary>
internal sealed class Print(SourcePosition at, Expression value) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var result = value.Evaluate(context, scope);
        context.Return(At);
        output.Append(context.Autoescape ? Markup.Escape(result).Text : PythonText.Of(result));
        return Flow.Next;
    }
}

internal sealed class If(SourcePosition at, (Expression Test, Statement[] Body)[] branches, Statement[] otherwise) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        foreach (var (test, body) in branches)
        {
            if (Operations.IsTrue(test.Evaluate(context, scope)))
                return Run(body, context, scope, output);
        }
        return Run(otherwise, context, scope, output);
    }
}

internal sealed class Set(SourcePosition at, Expression target, Expression value) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var result = value.Evaluate(context, scope);
        context.Return(At);
        Targets.Assign(context, scope, target, result);
        return Flow.Next;
    }
}

/// <summary><c>{% set name %}...{% endset %}</c>.</summary>
internal sealed class SetBlock(SourcePosition at, Expression target, FilterCall? filter, Statement[] body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var inner = new Scope(scope);
        object? text = Capture(body, context, inner);
        if (filter is not null)
            text = filter.Apply(context, inner, context.Autoescape ? new Markup((string)text) : text);
        if (context.Autoescape)
            text = new Markup(PythonText.Of(text));
        Targets.Assign(context, scope, target, text);
        return Flow.Next;
    }
}

internal sealed class With(SourcePosition at, (Expression Target, Expression Value)[] entries, Statement[] body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in entries)
            Targets.Assign(context, inner, target, value.Evaluate(context, scope));
        return Run(body, context, inner, output);
    }
}

internal sealed class FilterBlock(SourcePosition at, FilterCall filter, Statement[] body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var inner = new Scope(scope);
        var text = Capture(body, context, inner);
        var result = filter.Apply(context, inner, context.Autoescape ? new Markup(text) : text);
        output.Append(context.Autoescape ? Markup.Escape(result).Text : PythonText.Of(result));
        return Flow.Next;
    }
}

internal sealed class Autoescape(SourcePosition at, Expression value, Statement[] body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var before = context.Autoescape;
        context.Autoescape = Operations.IsTrue(value.Evaluate(context, scope));
        var flow = Run(body, context, new Scope(scope), output);
        context.Autoescape = before;
        return flow;
    }
}

/// <summary>
/// <c>{% generation %}</c>, the tag transformers adds to mark the assistant's own words. Its span starts at the end of the
/// text yielded so far at the outermost level, even inside a macro: that is what transformers does.
/// </summary>
internal sealed class Generation(SourcePosition at, Statement[] body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var text = Capture(body, context, new Scope(scope));
        context.Generations.Add((context.Output.Length, CodePoints.Length(text)));
        context.HasInnerGenerations |= output != context.Output;
        output.Append(context.MarksGenerations ? $"{GenerationMarks.Start}{text}{GenerationMarks.End}" : text);
        return Flow.Next;
    }
}

/// <summary><c>{% break %}</c> and <c>{% continue %}</c>.</summary>
internal sealed class Leave(SourcePosition at, Flow flow) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output) => flow;
}

/// <summary><c>{% block name %}</c>, filled in place: there is no inheritance in a chat template.</summary>
internal sealed class Block(SourcePosition at, string name, bool scoped, bool required, Statement[] body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        if (required)
            throw new PythonError("TemplateRuntimeError", $"Required block '{name}' not found");
        Run(body, context, new Scope(scoped ? scope : context.Root), output);
        return Flow.Next;
    }

    public string Render(RenderContext context) => Capture(body, context, new Scope(context.Root));
}

/// <summary><c>extends</c>, <c>include</c>, <c>import</c>: a chat template stands alone, so running one fails.</summary>
internal sealed class OtherTemplate(SourcePosition at, Expression name) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        name.Evaluate(context, scope);
        throw PythonError.Type("no loader for this environment specified");
    }
}
