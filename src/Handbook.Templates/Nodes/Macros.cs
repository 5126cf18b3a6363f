using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

internal sealed class Macro(SourcePosition at, MacroDefinition definition) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        scope.Set(definition.Name!, new MacroValue(definition, scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call macro() %}...{% endcall %}</c>: the body becomes the macro's <c>caller</c>.</summary>
internal sealed class CallBlock(SourcePosition at, Call call, MacroDefinition body) : Statement(at)
{
    public override Flow Execute(RenderContext context, Scope scope, OutputBuffer output)
    {
        var result = call.Evaluate(context, scope, new MacroValue(body, scope));
        output.Append(context.Autoescape ? Markup.Escape(result).Text : PythonText.Of(result));
        return Flow.Next;
    }
}
