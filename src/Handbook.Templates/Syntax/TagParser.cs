using Handbook.Templates.Nodes;
using Handbook.Templates.Values;

namespace Handbook.Templates.Syntax;

/// <summary>Every tag of Jinja2, loop controls, and transformers' <c>generation</c>.</summary>
internal sealed class TagParser(TokenStream stream, ParserState state, TemplateParser template)
{
    private ExpressionParser Expressions => template.Expressions;

    public static bool Knows(string tag) => tag is "for" or "if" or "block" or "extends" or "print" or "macro" or "include" or "from"
        or "import" or "set" or "with" or "autoescape" or "call" or "filter" or "break" or "continue" or "generation";

    /// <summary>Reads the tag whose name is current, up to its own end.</summary>
    public Statement[] Parse(string tag) => tag switch
    {
        "for" => [ParseFor()],
        "if" => [ParseIf()],
        "set" => [ParseSet()],
        "macro" => [ParseMacro()],
        "call" => [ParseCallBlock()],
        "filter" => [ParseFilterBlock()],
        "with" => [ParseWith()],
        "block" => [ParseBlock()],
        "print" => ParsePrint(),
        "generation" => [new Generation(stream.Next().At, InNewScope(() => template.ParseStatementsTo("endgeneration")))],
        "autoescape" => [ParseAutoescape()],
        "break" or "continue" => [ParseLeave()],
        _ => [ParseOtherTemplate()],
    };

    /// <summary>Inside another Python function or frame of Jinja2's compiler, loops and branches around it do not count.</summary>
    private T InNewScope<T>(Func<T> parse, bool isFunction = true)
    {
        var (wasSoft, loops) = (state.IsSoft, state.LoopDepth);
        state.IsSoft = false;
        if (isFunction)
            state.LoopDepth = 0;
        var result = parse();
        (state.IsSoft, state.LoopDepth) = (wasSoft, loops);
        return result;
    }

    private For ParseFor()
    {
        var at = stream.Next().At;
        var assignmentsBefore = state.LoopAssignments.Count;
        var target = Expressions.Primary.ParseTarget(endName: "in");
        stream.ExpectName("in");
        var items = Expressions.ParseTuple(withConditional: false, endName: "recursive");
        var test = stream.SkipIfName("if") ? InNewScope(() => Expressions.Parse(), isFunction: false) : null;
        var isRecursive = stream.SkipIfName("recursive");
        var body = InNewScope(() =>
        {
            state.LoopDepth = isRecursive ? 1 : state.LoopDepth + 1;
            return template.ParseStatements("endfor", "else");
        }, isFunction: false);
        Statement[] otherwise = [];
        if (stream.Next().Text == "else")
            otherwise = InNewScope(() => template.ParseStatementsTo("endfor"), isFunction: isRecursive);
        if (state.LoopAssignments.Count > assignmentsBefore)
            state.Delay(state.LoopAssignments[assignmentsBefore].SyntaxError("Can't assign to special loop variable in for-loop target"));
        return new For(at, new ForParts(target, items, test, isRecursive, body, otherwise));
    }

    private If ParseIf()
    {
        var at = stream.Next().At;
        var wasSoft = state.IsSoft;
        state.IsSoft = true;
        var branches = new List<(Expression, Statement[])>();
        Statement[] otherwise = [];
        while (true)
        {
            var test = Expressions.ParseTuple(withConditional: false);
            branches.Add((test, template.ParseStatements("elif", "else", "endif")));
            var end = stream.Next();
            if (end.Text == "elif")
                continue;
            if (end.Text == "else")
                otherwise = template.ParseStatementsTo("endif");
            break;
        }
        state.IsSoft = wasSoft;
        return new If(at, [.. branches], otherwise);
    }

    private Statement ParseSet()
    {
        var at = stream.Next().At;
        var target = Expressions.Primary.ParseTarget(withNamespace: true);
        if (stream.SkipIf(TokenKind.Assign))
            return new Set(at, target, Expressions.ParseTuple());
        var filter = (FilterCall?)Expressions.Primary.ParseFilters(null);
        return new SetBlock(at, target, filter, InNewScope(() => template.ParseStatementsTo("endset"), isFunction: false));
    }

    private (string[] Parameters, Expression[] Defaults) ParseSignature()
    {
        var parameters = new List<string>();
        var defaults = new List<Expression>();
        stream.Expect(TokenKind.LParen);
        while (stream.Kind != TokenKind.RParen)
        {
            if (parameters.Count > 0)
                stream.Expect(TokenKind.Comma);
            var name = Expressions.Primary.ParseTargetName();
            if (stream.SkipIf(TokenKind.Assign))
                defaults.Add(Expressions.Parse());
            else if (defaults.Count > 0)
                throw stream.Fail("non-default argument follows default argument");
            if (parameters.Contains(name.Text))
                state.Delay(name.At.Fail("SyntaxError", $"duplicate argument '{name.Text}' in function definition"));
            parameters.Add(name.Text);
        }
        stream.Expect(TokenKind.RParen);
        return ([.. parameters], [.. defaults]);
    }

    private MacroDefinition ParseMacroBody(
        string? name, SourcePosition at, (string[] Parameters, Expression[] Defaults) signature, string endTag)
    {
        state.BeginMacro();
        var body = InNewScope(() => template.ParseStatementsTo(endTag));
        var mentioned = state.EndMacro();
        var caller = Array.IndexOf(signature.Parameters, "caller");
        if (mentioned.Contains("caller") && caller >= 0 && caller < signature.Parameters.Length - signature.Defaults.Length)
        {
            state.Delay(at.Fail("TemplateAssertionError",
                "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default."));
        }
        return new MacroDefinition(name, at, signature.Parameters, signature.Defaults, body)
        {
            UsesCaller = mentioned.Contains("caller"),
            UsesKwargs = mentioned.Contains("kwargs") && !signature.Parameters.Contains("kwargs"),
            UsesVarargs = mentioned.Contains("varargs") && !signature.Parameters.Contains("varargs"),
        };
    }

    private Macro ParseMacro()
    {
        var at = stream.Next().At;
        var name = Expressions.Primary.ParseTargetName().Text;
        return new Macro(at, ParseMacroBody(name, at, ParseSignature(), "endmacro"));
    }

    private CallBlock ParseCallBlock()
    {
        var at = stream.Next().At;
        var signature = stream.Kind == TokenKind.LParen ? ParseSignature() : ([], []);
        var call = Expressions.Parse() as Call ?? throw at.SyntaxError("expected call");
        return new CallBlock(at, call, ParseMacroBody(null, at, signature, "endcall"));
    }

    private FilterBlock ParseFilterBlock()
    {
        var at = stream.Next().At;
        var filter = (FilterCall)Expressions.Primary.ParseFilters(null, startsInline: true)!;
        return new FilterBlock(at, filter, InNewScope(() => template.ParseStatementsTo("endfilter"), isFunction: false));
    }

    private With ParseWith()
    {
        var at = stream.Next().At;
        var entries = new List<(Expression, Expression)>();
        while (stream.Kind != TokenKind.BlockEnd)
        {
            if (entries.Count > 0)
                stream.Expect(TokenKind.Comma);
            var target = Expressions.Primary.ParseTarget();
            stream.Expect(TokenKind.Assign);
            entries.Add((target, Expressions.Parse()));
        }
        return new With(at, [.. entries], InNewScope(() => template.ParseStatementsTo("endwith"), isFunction: false));
    }

    private Autoescape ParseAutoescape()
    {
        var at = stream.Next().At;
        var value = Expressions.Parse();
        return new Autoescape(at, value, InNewScope(() => template.ParseStatementsTo("endautoescape"), isFunction: false));
    }

    private Block ParseBlock()
    {
        var at = stream.Next().At;
        var name = stream.Expect(TokenKind.Name).Text;
        var isScoped = stream.SkipIfName("scoped");
        var isRequired = stream.SkipIfName("required");
        if (stream.Kind == TokenKind.Sub)
        {
            throw stream.Fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, "
                + "use an underscore instead.");
        }
        var body = InNewScope(() => template.ParseStatementsTo("endblock"));
        if (isRequired && body.Any(statement => statement is not Data data || !data.Text.All(PythonCharacters.IsSpace)))
            throw stream.Fail("Required blocks can only contain comments or whitespace");
        stream.SkipIfName(name);
        var block = new Block(at, name, isScoped, isRequired, body);
        if (!state.Blocks.TryAdd(name, block))
            state.Delay(at.Fail("TemplateAssertionError", $"block '{name}' defined twice"));
        return block;
    }

    private Statement[] ParsePrint()
    {
        var at = stream.Next().At;
        var prints = new List<Statement>();
        while (stream.Kind != TokenKind.BlockEnd)
        {
            if (prints.Count > 0)
                stream.Expect(TokenKind.Comma);
            prints.Add(new Print(at, Expressions.Parse()));
        }
        return [.. prints];
    }

    private Leave ParseLeave()
    {
        var token = stream.Next();
        if (state.LoopDepth == 0)
        {
            state.Delay(token.At.Fail("SyntaxError", token.Text == "break" ? "'break' outside loop" : "'continue' not properly in loop"));
        }
        return new Leave(token.At, token.Text == "break" ? Flow.Break : Flow.Continue);
    }

    /// <summary><c>extends</c>, <c>include</c>, <c>import</c> and <c>from</c>, read to their end and refused when run.</summary>
    private OtherTemplate ParseOtherTemplate()
    {
        var tag = stream.Next();
        var name = Expressions.Parse();
        if (tag.Text == "import")
        {
            stream.ExpectName("as");
            Expressions.Primary.ParseTargetName();
        }
        else if (tag.Text == "from")
        {
            stream.ExpectName("import");
            ParseImportedNames();
        }
        else if (tag.Text == "include" && stream.Current.IsName("ignore") && stream.Look().IsName("missing"))
        {
            stream.Next();
            stream.Next();
        }
        if (tag.Text != "extends")
            SkipContext();
        return new OtherTemplate(tag.At, name);
    }

    private void ParseImportedNames()
    {
        for (var first = true; ; first = false)
        {
            if (!first)
                stream.Expect(TokenKind.Comma);
            if (SkipContext())
                return;
            var name = Expressions.Primary.ParseTargetName();
            if (name.Text.StartsWith('_'))
                throw name.At.Fail("TemplateAssertionError", "names starting with an underline can not be imported");
            if (stream.SkipIfName("as"))
                Expressions.Primary.ParseTargetName();
            if (SkipContext() || stream.Kind != TokenKind.Comma)
                return;
        }
    }

    private bool SkipContext()
    {
        if (!(stream.Current.IsName("with") || stream.Current.IsName("without")) || !stream.Look().IsName("context"))
            return false;
        stream.Next();
        stream.Next();
        return true;
    }
}
