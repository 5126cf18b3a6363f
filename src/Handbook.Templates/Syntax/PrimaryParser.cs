using System.Text;
using Handbook.Templates.Filters;
using Handbook.Templates.Nodes;

namespace Handbook.Templates.Syntax;

/// <summary>Literals and names, and what follows them: members, calls, filters, tests.</summary>
internal sealed class PrimaryParser(TokenStream stream, ParserState state)
{
    /// <summary>The looser half of the grammar.</summary>
    public ExpressionParser Expressions { get; set; } = null!;

    public Expression Parse(bool withNamespace = false)
    {
        var token = stream.Current;
        switch (token.Kind)
        {
            case TokenKind.Name: return ParseName(withNamespace);
            case TokenKind.Text: return ParseTexts();
            case TokenKind.Integer or TokenKind.Float:
                stream.Next();
                return new Constant(token.At, token.Number);
            case TokenKind.LParen:
                stream.Next();
                var tuple = Expressions.ParseTuple(inParentheses: true);
                stream.Expect(TokenKind.RParen);
                return tuple;
            case TokenKind.LBracket: return ParseList();
            case TokenKind.LBrace: return ParseDictionary();
        }
        throw token.At.SyntaxError($"unexpected '{token.Describe()}'");
    }

    private Expression ParseName(bool withNamespace)
    {
        var token = stream.Next();
        switch (token.Text)
        {
            case "true" or "True": return new Constant(token.At, true);
            case "false" or "False": return new Constant(token.At, false);
            case "none" or "None": return new Constant(token.At, null);
        }
        if (withNamespace && stream.SkipIf(TokenKind.Dot))
            return new NamespaceTarget(token.At, token.Text, stream.Expect(TokenKind.Name).Text);
        state.Mention(token.Text);
        return new Name(token.At, token.Text);
    }

    private Constant ParseTexts()
    {
        var first = stream.Next();
        if (stream.Kind != TokenKind.Text)
            return new Constant(first.At, first.Text);
        var text = new StringBuilder(first.Text);
        while (stream.Kind == TokenKind.Text)
            text.Append(stream.Next().Text);
        return new Constant(first.At, text.ToString());
    }

    private Collection ParseList()
    {
        var at = stream.Expect(TokenKind.LBracket).At;
        var items = new List<Expression>();
        while (stream.Kind != TokenKind.RBracket)
        {
            if (items.Count > 0)
                stream.Expect(TokenKind.Comma);
            if (stream.Kind == TokenKind.RBracket)
                break;
            items.Add(Expressions.Parse());
        }
        stream.Expect(TokenKind.RBracket);
        return new Collection(at, [.. items], isList: true);
    }

    private Dictionary ParseDictionary()
    {
        var at = stream.Expect(TokenKind.LBrace).At;
        var entries = new List<(Expression, Expression)>();
        while (stream.Kind != TokenKind.RBrace)
        {
            if (entries.Count > 0)
                stream.Expect(TokenKind.Comma);
            if (stream.Kind == TokenKind.RBrace)
                break;
            var key = Expressions.Parse();
            stream.Expect(TokenKind.Colon);
            entries.Add((key, Expressions.Parse()));
        }
        stream.Expect(TokenKind.RBrace);
        return new Dictionary(at, [.. entries]);
    }

    public Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (stream.Kind is TokenKind.Dot or TokenKind.LBracket)
                value = ParseMember(value);
            else if (stream.Kind == TokenKind.LParen)
                value = ParseCall(value);
            else
                return value;
        }
    }

    private Expression ParseMember(Expression value)
    {
        var token = stream.Next();
        if (token.Kind == TokenKind.Dot)
        {
            var name = stream.Next();
            return name.Kind switch
            {
                TokenKind.Name => new Nodes.Attribute(token.At, value, name.Text),
                TokenKind.Integer => new Subscript(token.At, value, new Constant(name.At, name.Number)),
                _ => throw name.At.SyntaxError("expected name or number"),
            };
        }
        var keys = new List<Expression>();
        while (stream.Kind != TokenKind.RBracket)
        {
            if (keys.Count > 0)
                stream.Expect(TokenKind.Comma);
            keys.Add(ParseKey());
        }
        stream.Expect(TokenKind.RBracket);
        if (keys.Count > 1 && value is not Constant && keys.Exists(key => key is Slice))
            state.Delay(token.At.Fail("SyntaxError", "invalid syntax"));
        return new Subscript(token.At, value, keys.Count == 1 ? keys[0] : new Collection(token.At, [.. keys], isList: false));
    }

    private Expression ParseKey()
    {
        var at = stream.Current.At;
        Expression? start = null;
        if (stream.Kind != TokenKind.Colon)
        {
            start = Expressions.Parse();
            if (stream.Kind != TokenKind.Colon)
                return start;
        }
        stream.Next();
        var stop = stream.Kind is TokenKind.Colon or TokenKind.RBracket or TokenKind.Comma ? null : Expressions.Parse();
        Expression? step = null;
        if (stream.SkipIf(TokenKind.Colon))
            step = stream.Kind is TokenKind.RBracket or TokenKind.Comma ? null : Expressions.Parse();
        return new Slice(at, start, stop, step);
    }

    public Call ParseCall(Expression function)
    {
        var at = stream.Current.At;
        return new Call(at, function, ParseArguments());
    }

    private ArgumentList ParseArguments()
    {
        var open = stream.Expect(TokenKind.LParen);
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? unpacked = null;
        Expression? unpackedNamed = null;
        for (var requireComma = false; stream.Kind != TokenKind.RParen; requireComma = true)
        {
            if (requireComma)
            {
                stream.Expect(TokenKind.Comma);
                if (stream.Kind == TokenKind.RParen)
                    break;
            }
            if (stream.Kind == TokenKind.Mul)
            {
                Ensure(unpacked is null && unpackedNamed is null);
                stream.Next();
                unpacked = Expressions.Parse();
            }
            else if (stream.Kind == TokenKind.Pow)
            {
                Ensure(unpackedNamed is null);
                stream.Next();
                unpackedNamed = Expressions.Parse();
            }
            else if (stream.Kind == TokenKind.Name && stream.Look().Kind == TokenKind.Assign)
            {
                Ensure(unpackedNamed is null);
                var name = stream.Next();
                stream.Next();
                if (named.Exists(entry => entry.Item1 == name.Text))
                    throw name.At.Fail("SyntaxError", $"keyword argument repeated: {name.Text}");
                named.Add((name.Text, Expressions.Parse()));
            }
            else
            {
                Ensure(unpacked is null && unpackedNamed is null && named.Count == 0);
                positional.Add(Expressions.Parse());
            }
        }
        stream.Expect(TokenKind.RParen);
        return positional.Count + named.Count == 0 && unpacked is null && unpackedNamed is null
            ? ArgumentList.Empty : new ArgumentList([.. positional], [.. named], unpacked, unpackedNamed);

        void Ensure(bool holds)
        {
            if (!holds)
                throw open.At.SyntaxError("invalid syntax for function call expression");
        }
    }

    /// <summary><c>|name(...)</c>, as often as it comes; <paramref name="startsInline"/> when the first bar is not written.</summary>
    public Expression? ParseFilters(Expression? value, bool startsInline = false)
    {
        while (stream.Kind == TokenKind.Pipe || startsInline)
        {
            if (!startsInline)
                stream.Next();
            startsInline = false;
            var (name, at) = ParseDottedName();
            var arguments = stream.Kind == TokenKind.LParen ? ParseArguments() : ArgumentList.Empty;
            if (!FilterTable.Has(name))
                state.Unknown(at, FilterTable.Unknown(name, atRuntime: false));
            value = new FilterCall(at, value, name, arguments);
        }
        return value;
    }

    private (string Name, SourcePosition At) ParseDottedName()
    {
        var token = stream.Expect(TokenKind.Name);
        var name = token.Text;
        while (stream.SkipIf(TokenKind.Dot))
            name += "." + stream.Expect(TokenKind.Name).Text;
        return (name, token.At);
    }

    public Expression ParseTest(Expression value)
    {
        var at = stream.Next().At;
        var isNegated = stream.SkipIfName("not");
        var (name, nameAt) = ParseDottedName();
        var arguments = ArgumentList.Empty;
        if (stream.Kind == TokenKind.LParen)
        {
            arguments = ParseArguments();
        }
        else if (stream.Kind is TokenKind.Name or TokenKind.Text or TokenKind.Integer or TokenKind.Float or TokenKind.LBracket
                or TokenKind.LBrace
            && !(stream.Kind == TokenKind.Name && stream.Current.Text is "else" or "or" or "and"))
        {
            if (stream.Current.IsName("is"))
                throw stream.Fail("You cannot chain multiple tests with is");
            arguments = new ArgumentList([ParsePostfix(Parse())], [], null, null);
        }
        if (TestTable.Find(name) is null)
            state.Unknown(nameAt, TestTable.Unknown(name, atRuntime: false));
        Expression test = new TestCall(at, value, name, arguments);
        return isNegated ? new Not(at, test) : test;
    }

    /// <summary>What a <c>set</c>, <c>for</c> or <c>with</c> assigns to.</summary>
    public Expression ParseTarget(string? endName = null, bool withNamespace = false)
    {
        var target = Expressions.ParseTuple(() => Parse(withNamespace), endName, inParentheses: false);
        RequireAssignable(target);
        return target;
    }

    public Token ParseTargetName()
    {
        var token = stream.Expect(TokenKind.Name);
        RequireAssignableName(token.Text, token.At);
        return token;
    }

    private void RequireAssignable(Expression target)
    {
        switch (target)
        {
            case Name name: RequireAssignableName(name.Text, name.At); break;
            case NamespaceTarget: break;
            case Collection { IsList: false } tuple:
                foreach (var item in tuple.Items)
                    RequireAssignable(item);
                break;
            default: throw target.At.SyntaxError($"can't assign to '{target.Kind}'");
        }
    }

    private void RequireAssignableName(string name, SourcePosition at)
    {
        if (name is "true" or "false" or "none" or "True" or "False" or "None")
            throw at.SyntaxError("can't assign to 'name'");
        if (name == "loop")
            state.LoopAssignments.Add(at);
    }
}
