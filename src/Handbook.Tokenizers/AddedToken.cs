namespace Handbook.Tokenizers;

/// <summary>
/// A token that is found in the text as a whole, before the model sees it (<c>added_tokens</c> of tokenizer.json).
/// </summary>
/// <param name="Content">The text that is this token.</param>
public sealed record AddedToken(string Content)
{
    /// <summary>Left out by decoding with <c>skipSpecialTokens</c>. Default false.</summary>
    public bool Special { get; init; }

    /// <summary>Found only where no letter, digit or underscore touches it. Default false.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Swallows the white space before it. Default false.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Swallows the white space after it. Default false.</summary>
    public bool StripRight { get; init; }

    /// <summary>
    /// Normalized itself, and looked for in the normalized text. Default false (the library's default is true for tokens that are
    /// not special).
    /// </summary>
    public bool Normalized { get; init; }
}
