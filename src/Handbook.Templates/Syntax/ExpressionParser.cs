using Handbook.Templates.Nodes;

namespace Handbook.Templates.Syntax;

/// <summary>
/// Jinja2's expression grammar, loosest first: if, or, and, not, comparison, + -, ~, * / // %, **, unary, postfix, filters.
/// </summary>
internal sealed class ExpressionParser(TokenStream stream, ParserState state)
{
    private readonly PrimaryParser _primary = new(stream, state);

    public PrimaryParser Primary => _primary;

    /// <summary>Ties the two halves of the grammar together.</summary>
    public static ExpressionParser Create(TokenStream stream, ParserState state)
    {
        var parser = new ExpressionParser(stream, state);
        parser._primary.Expressions = parser;
        return parser;
    }

    public Expression Parse(bool withConditional = true)
    {
        state.Nesting.Enter(stream.Current.At);
        var result = withConditional ? ParseConditional() : ParseOr();
        state.Nesting.Leave();
        return result;
    }

    private Expression ParseConditional()
    {
        var at = stream.Current.At;
        var wasSoft = state.IsSoft;
        var value = ParseOr();
        while (stream.SkipIfName("if"))
        {
            // Only now is it known that the value stood in a branch, where an unknown filter is the renderer's business.
            state.IsSoft = true;
            var test = ParseOr();
            var otherwise = stream.SkipIfName("else") ? Parse() : null;
            state.IsSoft = wasSoft;
            value = new Conditional(at, test, value, otherwise);
            at = stream.Current.At;
        }
        return value;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (stream.Current.IsName("or"))
            left = new Logical(stream.Next().At, left, ParseAnd(), isAnd: false);
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (stream.Current.IsName("and"))
            left = new Logical(stream.Next().At, left, ParseNot(), isAnd: true);
        return left;
    }

    private Expression ParseNot()
    {
        if (!stream.Current.IsName("not"))
            return ParseComparison();
        var at = stream.Next().At;
        state.Nesting.Enter(at);
        var result = new Not(at, ParseNot());
        state.Nesting.Leave();
        return result;
    }

    private Expression ParseComparison()
    {
        var at = stream.Current.At;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (ComparisonSymbol() is { } symbol)
        {
            stream.Next();
            if (symbol == "not in")
                stream.Next();
            rest.Add((symbol, ParseSum()));
        }
        return rest.Count == 0 ? first : new Comparison(at, first, [.. rest]);
    }

    private string? ComparisonSymbol() => stream.Kind switch
    {
        TokenKind.Eq => "==",
        TokenKind.Ne => "!=",
        TokenKind.Lt => "<",
        TokenKind.LtEq => "<=",
        TokenKind.Gt => ">",
        TokenKind.GtEq => ">=",
        TokenKind.Name when stream.Current.Text == "in" => "in",
        TokenKind.Name when stream.Current.Text == "not" && stream.Look().IsName("in") => "not in",
        _ => null,
    };

    private Expression ParseSum()
    {
        var left = ParseConcatenation();
        while (stream.Kind is TokenKind.Add or TokenKind.Sub)
        {
            var token = stream.Next();
            left = new Binary(token.At, token.Kind == TokenKind.Add ? "+" : "-", left, ParseConcatenation());
        }
        return left;
    }

    private Expression ParseConcatenation()
    {
        var at = stream.Current.At;
        var first = ParseProduct();
        if (stream.Kind != TokenKind.Tilde)
            return first;
        var parts = new List<Expression> { first };
        while (stream.SkipIf(TokenKind.Tilde))
            parts.Add(ParseProduct());
        return new Concatenation(at, [.. parts]);
    }

    private Expression ParseProduct()
    {
        var left = ParsePower();
        while (stream.Kind is TokenKind.Mul or TokenKind.Div or TokenKind.FloorDiv or TokenKind.Mod)
        {
            var token = stream.Next();
            left = new Binary(token.At, Token.Describe(token.Kind), left, ParsePower());
        }
        return left;
    }

    /// <summary>Left-associative, unlike Python's.</summary>
    private Expression ParsePower()
    {
        var left = ParseUnary(withFilter: true);
        while (stream.Kind == TokenKind.Pow)
            left = new Binary(stream.Next().At, "**", left, ParseUnary(withFilter: true));
        return left;
    }

    public Expression ParseUnary(bool withFilter)
    {
        var token = stream.Current;
        Expression value;
        if (token.Kind is TokenKind.Sub or TokenKind.Add)
        {
            stream.Next();
            state.Nesting.Enter(token.At);
            value = new Unary(token.At, ParseUnary(withFilter: false), token.Kind == TokenKind.Sub);
            state.Nesting.Leave();
        }
        else
        {
            value = _primary.Parse();
        }
        value = _primary.ParsePostfix(value);
        return withFilter ? ParseFilterChain(value) : value;
    }

    private Expression ParseFilterChain(Expression value)
    {
        while (true)
        {
            if (stream.Kind == TokenKind.Pipe)
                value = _primary.ParseFilters(value)!;
            else if (stream.Current.IsName("is"))
                value = _primary.ParseTest(value);
            else if (stream.Kind == TokenKind.LParen)
                value = _primary.ParseCall(value);
            else
                return value;
        }
    }

    /// <summary>One expression, or a tuple where commas part several.</summary>
    public Expression ParseTuple(bool withConditional = true, string? endName = null, bool inParentheses = false) =>
        ParseTuple(() => Parse(withConditional), endName, inParentheses);

    public Expression ParseTuple(Func<Expression> parse, string? endName, bool inParentheses)
    {
        var at = stream.Current.At;
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0)
                stream.Expect(TokenKind.Comma);
            if (stream.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd or TokenKind.RParen
                || (endName is not null && stream.Current.IsName(endName)))
            {
                break;
            }
            items.Add(parse());
            if (stream.Kind != TokenKind.Comma)
                break;
            isTuple = true;
        }
        if (isTuple)
            return new Collection(at, [.. items], isList: false);
        if (items.Count > 0)
            return items[0];
        return inParentheses ? new Collection(at, [], isList: false)
            : throw stream.Fail($"Expected an expression, got '{stream.Current.Describe()}'");
    }
}
