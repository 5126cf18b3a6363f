using System.Runtime.InteropServices;
using Handbook.Tokenizers.Models;

namespace Handbook.Tokenizers.Fast;

/// <summary>What one encoding call needs for itself.</summary>
internal sealed class EncoderScratch
{
    /// <summary>Tokens of the text.</summary>
    public TokenBuffer Output { get; } = new();

    /// <summary>Words seen before.</summary>
    public WordCache Cache { get; } = new();

    /// <summary>Symbols of the word being merged.</summary>
    public SymbolList Symbols { get; } = new();

    /// <summary>Tokens of the word being encoded, with ranges relative to it.</summary>
    public List<PieceToken> Tokens { get; } = [];

    /// <summary>Bytes of the word being encoded.</summary>
    public byte[] Bytes { get; set; } = new byte[256];

    /// <summary>Normalized characters.</summary>
    public char[] Units { get; set; } = new char[256];
}

/// <summary>
/// Encoding for the common kinds of tokenizer, word by word through a cache. Gives what <see cref="PlainEncoder"/> gives.
/// </summary>
internal abstract class FastEncoder
{
    /// <summary>
    /// Appends the tokens of the stretch [<paramref name="start"/>, <paramref name="end"/>), which is not empty and holds no
    /// plain added token.
    /// </summary>
    public abstract void EncodeStretch(string text, int start, int end, EncoderScratch scratch);

    /// <summary>Puts a word's tokens into <see cref="EncoderScratch.Tokens"/>.</summary>
    protected abstract void EncodeNewWord(ReadOnlySpan<char> word, EncoderScratch scratch);

    /// <summary>Appends the tokens of a word that begins at <paramref name="position"/>, from the cache where it can.</summary>
    protected void AppendWord(ReadOnlySpan<char> word, int position, EncoderScratch scratch)
    {
        var key = new WordKey(word);
        if (!scratch.Cache.TryAppend(word, key, position, scratch.Output))
            AppendNewWord(word, key, position, scratch);
    }

    private void AppendNewWord(ReadOnlySpan<char> word, in WordKey key, int position, EncoderScratch scratch)
    {
        scratch.Tokens.Clear();
        EncodeNewWord(word, scratch);
        var output = scratch.Output;
        var first = output.Count;
        foreach (var token in CollectionsMarshal.AsSpan(scratch.Tokens))
            output.Add(token.Id, token.Start, token.End);
        var count = output.Count - first;
        scratch.Cache.Add(word, key, output.Ids.AsSpan(first, count), output.Ranges.AsSpan(first, count));
        foreach (ref var range in output.Ranges.AsSpan(first, count))
            range = new TextRange(position + range.Start, position + range.End);
    }
}
