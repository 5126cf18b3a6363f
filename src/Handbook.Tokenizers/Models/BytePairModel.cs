using System.Globalization;
using System.Text;

namespace Handbook.Tokenizers.Models;

/// <summary>Settings of a BPE model as tokenizer.json has them.</summary>
internal sealed record BytePairOptions
{
    /// <summary>Token for characters outside the vocabulary; null drops them.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>Put before every symbol but a word's first.</summary>
    public string ContinuingPrefix { get; init; } = "";

    /// <summary>Put after a word's last symbol.</summary>
    public string EndOfWordSuffix { get; init; } = "";

    /// <summary>Neighbouring unknown characters become one token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Characters outside the vocabulary become their bytes, <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A piece that is a token as a whole is taken as is.</summary>
    public bool IgnoreMerges { get; init; }
}

/// <summary>Byte pair encoding (Sennrich et al. 2016) over characters, with the library's options.</summary>
internal sealed class BytePairModel : TokenModel
{
    [ThreadStatic]
    private static SymbolList? t_symbols;

    private readonly int _unknownId;
    private readonly int[] _byteTokens = new int[256];
    private readonly int[] _unitTokens = new int[0x10000];

    /// <summary>Builds the model; the pair in place i of <paramref name="merges"/> has rank i.</summary>
    /// <exception cref="InvalidDataException">A merge or its result is not in the vocabulary.</exception>
    public BytePairModel(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, BytePairOptions options)
    {
        Vocabulary = vocabulary;
        Options = options;
        Merges = new MergeTable(merges.Count);
        _unknownId = options.UnknownToken is { } unknown ? vocabulary.Find(unknown) : -1;
        for (var value = 0; value < 256; value++)
            _byteTokens[value] = vocabulary.Find(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"));
        for (var unit = 0; unit < _unitTokens.Length; unit++)
            _unitTokens[unit] = vocabulary.Find([(char)unit]);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            if (right.Length < options.ContinuingPrefix.Length)
                throw new InvalidDataException($"model.merges[{rank}]: \"{right}\" is shorter than continuing_subword_prefix");
            Merges.Add(Known(left, rank), Known(right, rank), rank, Known(left + right[options.ContinuingPrefix.Length..], rank));
        }
    }

    /// <inheritdoc/>
    public override Vocabulary Vocabulary { get; }

    /// <summary>The model's settings.</summary>
    public BytePairOptions Options { get; }

    /// <summary>Merges by pair.</summary>
    public MergeTable Merges { get; }

    /// <summary>Which characters merges can join.</summary>
    public JoinTable BuildJoinTable() => new(Merges.Results().Select(id => Vocabulary.TokenOf(id)!));

    /// <summary>
    /// Whether each character outside the vocabulary becomes byte tokens that no merge touches, so that nothing reaches over
    /// a cut beside it.
    /// </summary>
    public bool BytesStandAlone() =>
        Options.ByteFallback && Array.TrueForAll(_byteTokens, id => id >= 0) && !Merges.Uses(_byteTokens);

    /// <summary>Whether characters outside the vocabulary vanish; those after them in a piece then move forward.</summary>
    public bool DropsUnknown => Options.UnknownToken is null && !(Options.ByteFallback && Array.TrueForAll(_byteTokens, id => id >= 0));

    /// <summary>Id of the unknown token, or -1.</summary>
    public int UnknownId => _unknownId;

    /// <summary>The token <c>&lt;0xNN&gt;</c> of a byte, or -1.</summary>
    public int ByteToken(byte value) => _byteTokens[value];

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> piece, List<PieceToken> output)
    {
        if (Options.IgnoreMerges && Vocabulary.Find(piece) is >= 0 and var whole)
        {
            output.Add(new PieceToken(whole, 0, piece.Length));
            return;
        }
        var symbols = t_symbols ??= new SymbolList();
        symbols.Clear();
        AddSymbols(piece, symbols);
        symbols.Merge(Merges);
        EmitByLength(piece, symbols.Symbols, output);
    }

    /// <summary>
    /// Symbols of a piece before any merge; lengths are in UTF-8 bytes of the normalized text. A character without a token
    /// and without an unknown token vanishes.
    /// </summary>
    private void AddSymbols(ReadOnlySpan<char> piece, SymbolList symbols)
    {
        var unknownLength = 0;
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CharClasses.CodePointAt(piece, i, out var length);
            var bytes = new Rune(codePoint).Utf8SequenceLength;
            var id = SymbolId(piece, i, length, out var spelled);
            i += length;
            if (id >= 0)
            {
                Flush(symbols, ref unknownLength);
                symbols.Add(id, bytes);
            }
            else if (!(Options.ByteFallback && TryAddBytes(spelled ?? char.ConvertFromUtf32(codePoint), symbols))
                && Options.UnknownToken is not null)
            {
                if (_unknownId < 0)
                    throw NoUnknownToken(Options.UnknownToken);
                if (!Options.FuseUnknown)
                    Flush(symbols, ref unknownLength);
                unknownLength += bytes;
            }
        }
        Flush(symbols, ref unknownLength);
    }

    private int SymbolId(ReadOnlySpan<char> piece, int start, int length, out string? spelled)
    {
        spelled = null;
        var prefixed = start > 0 && Options.ContinuingPrefix.Length > 0;
        var suffixed = start + length == piece.Length && Options.EndOfWordSuffix.Length > 0;
        var symbol = piece.Slice(start, length);
        if (!prefixed && !suffixed)
            return length == 1 ? _unitTokens[symbol[0]] : Vocabulary.Find(symbol);
        spelled = string.Concat(prefixed ? Options.ContinuingPrefix : "", symbol, suffixed ? Options.EndOfWordSuffix : "");
        return Vocabulary.Find(spelled);
    }

    private void Flush(SymbolList symbols, ref int unknownLength)
    {
        if (unknownLength > 0)
            symbols.Add(_unknownId, unknownLength);
        unknownLength = 0;
    }

    private bool TryAddBytes(string spelled, SymbolList symbols)
    {
        var bytes = Encoding.UTF8.GetBytes(spelled);
        if (Array.Exists(bytes, value => _byteTokens[value] < 0))
            return false;
        foreach (var value in bytes)
            symbols.Add(_byteTokens[value], 1);
        return true;
    }

    /// <summary>
    /// Places tokens by adding up their lengths, as the library does: where a character vanished, the ones after it in the
    /// same piece move forward.
    /// </summary>
    private static void EmitByLength(ReadOnlySpan<char> piece, ReadOnlySpan<Symbol> symbols, List<PieceToken> output)
    {
        var (byteEnd, unitStart, unitEnd) = (0, 0, 0);
        var position = 0;
        foreach (var symbol in symbols)
        {
            // [unitStart, unitEnd) is the character around byte `position`, whose UTF-8 ends at byteEnd.
            Advance(piece, position, ref byteEnd, ref unitStart, ref unitEnd);
            var start = unitStart;
            position += symbol.Length;
            Advance(piece, position - 1, ref byteEnd, ref unitStart, ref unitEnd);
            output.Add(new PieceToken(symbol.Id, start, unitEnd));
        }
    }

    private static void Advance(ReadOnlySpan<char> piece, int position, ref int byteEnd, ref int unitStart, ref int unitEnd)
    {
        while (byteEnd <= position && unitEnd < piece.Length)
        {
            unitStart = unitEnd;
            byteEnd += new Rune(CharClasses.CodePointAt(piece, unitStart, out var length)).Utf8SequenceLength;
            unitEnd = unitStart + length;
        }
    }

    private int Known(string token, int rank)
    {
        var id = Vocabulary.Find(token);
        return id >= 0 ? id : throw new InvalidDataException($"model.merges[{rank}]: \"{token}\" is not in the vocabulary");
    }
}
