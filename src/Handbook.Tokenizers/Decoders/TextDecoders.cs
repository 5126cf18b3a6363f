using System.Text;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Decoders;

/// <summary>Joins everything into one string.</summary>
internal sealed class FuseDecoder : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens) => [string.Concat(tokens)];
}

/// <summary>Replaces a pattern in every token.</summary>
internal sealed class ReplaceDecoder(SplitPattern pattern, string content) : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens) => pattern is StringPattern { Value.Length: > 0 } fixedText
        ? tokens.ConvertAll(token => token.Replace(fixedText.Value, content, StringComparison.Ordinal))
        : tokens.ConvertAll(Replace);

    private string Replace(string token)
    {
        var text = new StringBuilder();
        foreach (var part in pattern.Find(token))
            text.Append(part.IsMatch ? content : token.AsSpan(part.Start, part.End - part.Start));
        return text.ToString();
    }
}

/// <summary>Cuts up to so many of one character from each token's ends.</summary>
internal sealed class StripDecoder(string content, int start, int stop) : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens) => tokens.ConvertAll(Strip);

    private string Strip(string token)
    {
        var (first, last) = (0, token.Length);
        for (var i = 0; i < start && token.AsSpan(first).StartsWith(content); i++)
            first += content.Length;
        for (var i = 0; i < stop && last - content.Length >= first && token.AsSpan(0, last).EndsWith(content); i++)
            last -= content.Length;
        return token[first..last];
    }
}

/// <summary>The visible mark becomes a space again; the one that was put in front goes.</summary>
internal sealed class MetaspaceDecoder(string mark, bool dropsFirst) : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        var output = new List<string>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
            output.Add(tokens[i].Replace(mark, i == 0 && dropsFirst ? "" : " ", StringComparison.Ordinal));
        return output;
    }
}

/// <summary>Joins WordPiece continuations, and mends the spacing of English punctuation.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanup) : TokenDecoder
{
    private static readonly (string From, string To)[] Spacing =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        var output = new List<string>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (i > 0)
                token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
            output.Add(cleanup ? CleanUp(token) : token);
        }
        return output;
    }

    /// <summary>The library's list of spacing repairs, in its order.</summary>
    internal static string CleanUp(string text)
    {
        foreach (var (from, to) in Spacing)
            text = text.Replace(from, to, StringComparison.Ordinal);
        return text;
    }
}

/// <summary>The end-of-word mark becomes a space, and nothing after the last token.</summary>
internal sealed class EndOfWordDecoder(string suffix) : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        var output = new List<string>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
            output.Add(suffix.Length == 0
                ? tokens[i] : tokens[i].Replace(suffix, i == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal));
        return output;
    }
}

/// <summary>Drops repeats and padding of a CTC output; the delimiter becomes a space.</summary>
internal sealed class CtcDecoder(string pad, string delimiter, bool cleanup) : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        var output = new List<string>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (i > 0 && tokens[i] == tokens[i - 1])
                continue;
            var token = pad.Length == 0 ? tokens[i] : tokens[i].Replace(pad, "", StringComparison.Ordinal);
            if (cleanup)
            {
                token = WordPieceDecoder.CleanUp(token);
                token = delimiter.Length == 0 ? token : token.Replace(delimiter, " ", StringComparison.Ordinal);
            }
            if (token.Length > 0)
                output.Add(token);
        }
        return output;
    }
}
