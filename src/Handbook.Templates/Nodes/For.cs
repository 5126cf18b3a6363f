using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

internal sealed record ForParts(
    Expression Target, Expression Items, Expression? Test, bool IsRecursive, Statement[] Body, Statement[] Otherwise);

/// <summary><c>{% for %}</c> with its filter, its else branch, <c>loop</c>, and recursion.</summary>
internal sealed class For(SourcePosition at, ForParts parts) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var items = parts.Items.Evaluate(context, scope);
        context.Return(At);
        if (!parts.IsRecursive)
            return Turn(context, scope, output, items, 0);
        var buffer = new OutputBuffer(context);
        Turn(context, scope, buffer, items, 0);
        output.Append(buffer.ToString());
        return Flow.Next;
    }

    private Flow Turn(RenderContext context, Scope scope, OutputBuffer output, object? items, int depth)
    {
        var source = parts.Test is null ? items : new LazyValue(Filtered(context, scope, Operations.Iterate(items)));
        var loop = new LoopValue(source, depth, !parts.IsRecursive ? null : inner => Recurse(context, scope, inner, depth + 1));
        var completed = false;
        while (loop.MoveNext())
        {
            context.Enter(At);
            var inner = new Scope(scope);
            inner.Set("loop", loop);
            Targets.Assign(context, inner, parts.Target, loop.Current);
            var turn = context.BeginTurn(loop.Current, output);
            var flow = Run(parts.Body, context, inner, output);
            context.EndTurn(turn);
            if (flow == Flow.Break)
                break;
            completed |= flow == Flow.Next;
        }
        // Jinja2 notes a turn at its end: a loop whose every turn was left by break or continue runs the else branch too.
        return completed ? Flow.Next : Run(parts.Otherwise, context, new Scope(scope), output);
    }

    private string Recurse(RenderContext context, Scope scope, object? items, int depth)
    {
        context.Descend();
        var buffer = new OutputBuffer(context);
        Turn(context, scope, buffer, items, depth);
        context.Ascend();
        return buffer.ToString();
    }

    private IEnumerable<object?> Filtered(RenderContext context, Scope scope, IEnumerator<object?> items)
    {
        while (items.MoveNext())
        {
            context.Charge(1);
            var inner = new Scope(scope);
            Targets.Assign(context, inner, parts.Target, items.Current);
            if (Operations.IsTrue(parts.Test!.Evaluate(context, inner)))
                yield return items.Current;
        }
    }
}
