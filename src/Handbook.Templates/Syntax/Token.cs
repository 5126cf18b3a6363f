namespace Handbook.Templates.Syntax;

internal enum TokenKind
{
    Data, VariableBegin, VariableEnd, BlockBegin, BlockEnd, Name, Text, Integer, Float, EndOfTemplate,
    Add, Assign, Colon, Comma, Div, Dot, Eq, FloorDiv, Gt, GtEq, LBrace, LBracket, LParen, Lt, LtEq, Mod, Mul, Ne, Pipe,
    Pow, RBrace, RBracket, RParen, Semicolon, Sub, Tilde,
}

/// <summary>A piece of a template: its kind, its text (names, data, unescaped strings), its number, and where it begins.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, object? Number, SourcePosition At)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    /// <summary>The token in the words of Jinja2's messages.</summary>
    public string Describe() => Kind == TokenKind.Name ? Text : Describe(Kind);

    public static string Describe(TokenKind kind) => kind switch
    {
        TokenKind.Data => "template data / text",
        TokenKind.VariableBegin => "begin of print statement",
        TokenKind.VariableEnd => "end of print statement",
        TokenKind.BlockBegin => "begin of statement block",
        TokenKind.BlockEnd => "end of statement block",
        TokenKind.EndOfTemplate => "end of template",
        TokenKind.Name => "name",
        TokenKind.Text => "string",
        TokenKind.Integer => "integer",
        TokenKind.Float => "float",
        _ => Operators.First(pair => pair.Kind == kind).Symbol,
    };

    /// <summary>Longest first, so that the first match is the right one.</summary>
    public static readonly (string Symbol, TokenKind Kind)[] Operators =
    [
        ("//", TokenKind.FloorDiv), ("**", TokenKind.Pow), ("==", TokenKind.Eq), ("!=", TokenKind.Ne),
        (">=", TokenKind.GtEq), ("<=", TokenKind.LtEq),
        ("+", TokenKind.Add), ("-", TokenKind.Sub), ("/", TokenKind.Div), ("*", TokenKind.Mul), ("%", TokenKind.Mod),
        ("~", TokenKind.Tilde), ("[", TokenKind.LBracket), ("]", TokenKind.RBracket), ("(", TokenKind.LParen),
        (")", TokenKind.RParen), ("{", TokenKind.LBrace), ("}", TokenKind.RBrace), (">", TokenKind.Gt), ("<", TokenKind.Lt),
        ("=", TokenKind.Assign), (".", TokenKind.Dot), (":", TokenKind.Colon), ("|", TokenKind.Pipe), (",", TokenKind.Comma),
        (";", TokenKind.Semicolon),
    ];
}
