using Handbook.Tokenizers;

namespace Handbook.Gguf;

/// <summary>
/// The name that stands in the file: the folder's. llama.cpp reads more from it than it should: in models named phi-3 special tokens
/// swallow the white space behind them, and a vocabulary without Phi 3's tokens does not load under such a name.
/// </summary>
internal static class ModelName
{
    private static readonly string[] Phi3Tokens = ["</s>", "<unk>", "<s>", "<|endoftext|>"];

    /// <summary>The name; null for none.</summary>
    public static string? Of(string path, Tokenizer? tokenizer)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        var hasName = name.Contains("phi-3", StringComparison.OrdinalIgnoreCase)
            || name.Contains("phi3", StringComparison.OrdinalIgnoreCase);
        var hasTokens = tokenizer is not null && Array.TrueForAll(Phi3Tokens, token => tokenizer.TokenToId(token) is not null);
        if (hasName)
            return hasTokens || tokenizer is null ? name : null;
        return hasTokens && tokenizer!.AddedTokens.Values.Any(token => token.StripRight) ? name + " (phi-3)" : name;
    }
}
