using System.Runtime.CompilerServices;

namespace Handbook.Templates.Syntax;

/// <summary>The lexer's tokens with one token of look-ahead, and the checks every part of the parser makes.</summary>
internal sealed class TokenStream
{
    private readonly Lexer _lexer;
    private Token? _ahead;

    public TokenStream(string source)
    {
        _lexer = new Lexer(source);
        Current = _lexer.Next();
    }

    public Token Current { get; private set; }

    public TokenKind Kind => Current.Kind;

    /// <summary>Moves on and returns the token that was current.</summary>
    public Token Next()
    {
        var token = Current;
        Current = _ahead ?? _lexer.Next();
        _ahead = null;
        return token;
    }

    /// <summary>The token behind the current one.</summary>
    public Token Look() => _ahead ??= _lexer.Next();

    public bool SkipIf(TokenKind kind)
    {
        if (Kind != kind)
            return false;
        Next();
        return true;
    }

    public bool SkipIfName(string name)
    {
        if (!Current.IsName(name))
            return false;
        Next();
        return true;
    }

    public Token Expect(TokenKind kind) => Kind == kind ? Next() : throw Unexpected(Token.Describe(kind));

    public Token ExpectName(string name) => Current.IsName(name) ? Next() : throw Unexpected(name);

    public TemplateException Fail(string reason) => Current.At.SyntaxError(reason);

    private TemplateException Unexpected(string expected) => Kind == TokenKind.EndOfTemplate
        ? Fail($"unexpected end of template, expected '{expected}'.")
        : Fail($"expected token '{expected}', got '{Current.Describe()}'");
}

/// <summary>Counts nesting while parsing, so that no source can overflow the stack.</summary>
internal sealed class Nesting(int limit)
{
    private int _depth;

    public void Enter(SourcePosition at)
    {
        if (++_depth > limit || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw at.Fail("RecursionError", $"more than {limit} nested statements or expressions");
    }

    public void Leave() => _depth--;
}
