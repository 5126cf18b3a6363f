using Handbook.Templates.Nodes;

namespace Handbook.Templates.Syntax;

/// <summary>Reads text, prints and tags; <see cref="TagParser"/> knows each tag.</summary>
internal sealed class TemplateParser
{
    private readonly TokenStream _stream;
    private readonly ParserState _state;
    private readonly TagParser _tags;
    private readonly List<string> _openTags = [];
    private readonly List<string[]> _endTags = [];

    private TemplateParser(string source, TemplateLimits limits)
    {
        _stream = new TokenStream(source);
        _state = new ParserState(limits.MaxNesting);
        Expressions = ExpressionParser.Create(_stream, _state);
        _tags = new TagParser(_stream, _state, this);
    }

    public ExpressionParser Expressions { get; }

    /// <summary>Reads a template to its statements and its named blocks.</summary>
    public static (Statement[] Body, IReadOnlyDictionary<string, Block> Blocks) Parse(string source, TemplateLimits limits)
    {
        if (source.Length > limits.MaxSourceLength)
            throw new TemplateException("LimitError", $"the template has more than {limits.MaxSourceLength} characters", 1, 1);
        var parser = new TemplateParser(source, limits);
        var body = parser.ParseBody(null);
        if (parser._state.Delayed is { } fault)
            throw fault;
        return (body, parser._state.Blocks);
    }

    /// <summary>
    /// The statements of a tag up to one of <paramref name="endTags"/>, which stays current. A colon may stand before the
    /// tag's end.
    /// </summary>
    public Statement[] ParseStatements(params string[] endTags)
    {
        _stream.SkipIf(TokenKind.Colon);
        _stream.Expect(TokenKind.BlockEnd);
        var body = ParseBody(endTags);
        return _stream.Kind != TokenKind.EndOfTemplate ? body : throw UnexpectedEnd(null, _stream.Current, [.. _endTags, endTags]);
    }

    /// <summary>As <see cref="ParseStatements"/>, and steps over the end tag.</summary>
    public Statement[] ParseStatementsTo(string endTag)
    {
        var body = ParseStatements(endTag);
        _stream.Next();
        return body;
    }

    private Statement[] ParseBody(string[]? endTags)
    {
        var body = new List<Statement>();
        if (endTags is not null)
            _endTags.Add(endTags);
        _state.Nesting.Enter(_stream.Current.At);
        while (_stream.Kind != TokenKind.EndOfTemplate)
        {
            var token = _stream.Next();
            if (token.Kind == TokenKind.Data)
            {
                body.Add(new Data(token.At, token.Text));
            }
            else if (token.Kind == TokenKind.VariableBegin)
            {
                body.Add(new Print(token.At, Expressions.ParseTuple()));
                _stream.Expect(TokenKind.VariableEnd);
            }
            else
            {
                if (endTags is not null && _stream.Kind == TokenKind.Name && endTags.Contains(_stream.Current.Text))
                    break;
                body.AddRange(ParseStatement());
                _stream.Expect(TokenKind.BlockEnd);
            }
        }
        _state.Nesting.Leave();
        if (endTags is not null)
            _endTags.RemoveAt(_endTags.Count - 1);
        return [.. body];
    }

    private Statement[] ParseStatement()
    {
        var token = _stream.Current;
        if (token.Kind != TokenKind.Name)
            throw token.At.SyntaxError("tag name expected");
        if (!TagParser.Knows(token.Text))
            throw UnexpectedEnd(token.Text, token, _endTags);
        _openTags.Add(token.Text);
        var statements = _tags.Parse(token.Text);
        _openTags.RemoveAt(_openTags.Count - 1);
        return statements;
    }

    /// <summary>Jinja2's explanation of an unknown tag, or of a template that ends too early.</summary>
    private TemplateException UnexpectedEnd(string? tag, Token at, List<string[]> endTags)
    {
        var message = tag is null ? "Unexpected end of template." : $"Encountered unknown tag '{tag}'.";
        if (endTags.Count > 0)
        {
            var looking = string.Join(" or ", endTags[^1].Select(name => $"'{name}'"));
            message += tag is not null && endTags.Exists(names => names.Contains(tag))
                ? $" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {looking}."
                : $" Jinja was looking for the following tags: {looking}.";
        }
        if (_openTags.Count > 0)
            message += $" The innermost block that needs to be closed is '{_openTags[^1]}'.";
        return at.At.SyntaxError(message);
    }
}
