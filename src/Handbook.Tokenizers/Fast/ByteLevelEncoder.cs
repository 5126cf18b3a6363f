using System.Text;
using Handbook.Tokenizers.Models;
using Handbook.Tokenizers.Normalizers;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Fast;

/// <summary>
/// Byte-level BPE behind a known word pattern. Bytes are never spelled out as characters: a word's UTF-8 bytes are the first
/// symbols.
/// </summary>
internal sealed class ByteLevelEncoder : FastEncoder
{
    private readonly BytePairModel _model;
    private readonly WordScanner _scanner;
    private readonly Normalizer? _normalizer;
    private readonly TokenMatcher _normalizedTokens;
    private readonly int[] _byteIds = new int[256];

    /// <summary>Takes a model without prefixes and suffixes, and the scanner of its pre-tokenizer.</summary>
    public ByteLevelEncoder(BytePairModel model, WordScanner scanner, Normalizer? normalizer, TokenMatcher normalizedTokens)
    {
        _model = model;
        _scanner = scanner;
        _normalizer = normalizer;
        _normalizedTokens = normalizedTokens;
        for (var value = 0; value < 256; value++)
            _byteIds[value] = model.Vocabulary.Find([ByteAlphabet.ToChar((byte)value)]);
    }

    /// <inheritdoc/>
    public override void EncodeStretch(string text, int start, int end, EncoderScratch scratch)
    {
        var span = text.AsSpan(start, end - start);
        if (_normalizer is null || _normalizer.LeavesUnchanged(span))
        {
            EncodeNormalized(span, start, scratch);
            return;
        }
        var piece = TextPiece.FromOriginal(text, start, end);
        _normalizer.Normalize(piece);
        var output = scratch.Output;
        var first = output.Count;
        EncodeNormalized(piece.Text, 0, scratch);
        foreach (ref var range in output.Ranges.AsSpan(first, output.Count - first))
            range = piece.Source(range.Start, range.End);
    }

    private void EncodeNormalized(ReadOnlySpan<char> text, int position, EncoderScratch scratch)
    {
        if (_normalizedTokens.IsEmpty)
        {
            EncodeWords(text, position, scratch);
            return;
        }
        var (from, taken) = (0, 0);
        while (_normalizedTokens.TryFind(text, from, taken, out var id, out var range, out from))
        {
            EncodeWords(text[taken..range.Start], position + taken, scratch);
            scratch.Output.Add(id, position + range.Start, position + range.End);
            taken = range.End;
        }
        EncodeWords(text[taken..], position + taken, scratch);
    }

    private void EncodeWords(ReadOnlySpan<char> text, int position, EncoderScratch scratch)
    {
        var scanner = _scanner;
        for (var start = 0; start < text.Length;)
        {
            var end = scanner.WordEnd(text, start);
            AppendWord(text[start..end], position + start, scratch);
            start = end;
        }
    }

    /// <inheritdoc/>
    protected override void EncodeNewWord(ReadOnlySpan<char> word, EncoderScratch scratch)
    {
        if (scratch.Bytes.Length < word.Length * 3)
            scratch.Bytes = new byte[word.Length * 4];
        var bytes = scratch.Bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, scratch.Bytes));
        if (_model.Options.IgnoreMerges && WholeWord(bytes, scratch) is >= 0 and var whole)
        {
            scratch.Tokens.Add(new PieceToken(whole, 0, word.Length));
            return;
        }
        var symbols = scratch.Symbols;
        symbols.Clear();
        foreach (var value in bytes)
        {
            if (_byteIds[value] < 0)
            {
                EncodeSpelled(word, scratch);
                return;
            }
            symbols.Add(_byteIds[value], 1);
        }
        symbols.Merge(_model.Merges);
        if (bytes.Length == word.Length)
            EmitAscii(symbols.Symbols, scratch.Tokens);
        else
            EmitCharacters(word, symbols.Symbols, scratch.Tokens);
    }

    private static void EmitAscii(ReadOnlySpan<Symbol> symbols, List<PieceToken> tokens)
    {
        var start = 0;
        foreach (var symbol in symbols)
        {
            tokens.Add(new PieceToken(symbol.Id, start, start + symbol.Length));
            start += symbol.Length;
        }
    }

    /// <summary>A token's range goes from the character of its first byte to that of its last.</summary>
    private static void EmitCharacters(ReadOnlySpan<char> word, ReadOnlySpan<Symbol> symbols, List<PieceToken> tokens)
    {
        var (unitStart, unitEnd, byteEnd, position) = (0, 0, 0, 0);
        foreach (var symbol in symbols)
        {
            Advance(word, position, ref unitStart, ref unitEnd, ref byteEnd);
            var start = unitStart;
            position += symbol.Length;
            Advance(word, position - 1, ref unitStart, ref unitEnd, ref byteEnd);
            tokens.Add(new PieceToken(symbol.Id, start, unitEnd));
        }
    }

    private static void Advance(ReadOnlySpan<char> word, int position, ref int unitStart, ref int unitEnd, ref int byteEnd)
    {
        while (byteEnd <= position)
        {
            unitStart = unitEnd;
            byteEnd += new Rune(CharClasses.CodePointAt(word, unitStart, out var length)).Utf8SequenceLength;
            unitEnd = unitStart + length;
        }
    }

    private int WholeWord(ReadOnlySpan<byte> bytes, EncoderScratch scratch)
    {
        if (scratch.Units.Length < bytes.Length)
            scratch.Units = new char[bytes.Length * 2];
        for (var i = 0; i < bytes.Length; i++)
            scratch.Units[i] = ByteAlphabet.ToChar(bytes[i]);
        return _model.Vocabulary.Find(scratch.Units.AsSpan(0, bytes.Length));
    }

    /// <summary>For a vocabulary that lacks some bytes: the model itself decides what becomes of them.</summary>
    private void EncodeSpelled(ReadOnlySpan<char> word, EncoderScratch scratch)
    {
        var piece = TextPiece.FromOriginal(word.ToString(), 0, word.Length);
        ByteLevelNormalizer.ToByteCharacters(piece);
        _model.Tokenize(piece.Text, scratch.Tokens);
        for (var i = 0; i < scratch.Tokens.Count; i++)
        {
            var token = scratch.Tokens[i];
            var range = piece.Source(token.Start, token.End);
            scratch.Tokens[i] = token with { Start = range.Start, End = range.End };
        }
    }
}
