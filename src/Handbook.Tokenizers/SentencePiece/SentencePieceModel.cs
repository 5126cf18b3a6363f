using System.Text;
using Google.Protobuf;

namespace Handbook.Tokenizers.SentencePiece;

/// <summary>What kind of piece it is (sentencepiece_model.proto).</summary>
internal enum PieceType
{
    /// <summary>An ordinary piece.</summary>
    Normal = 1,

    /// <summary>Stands for what is not in the vocabulary.</summary>
    Unknown = 2,

    /// <summary>Never found in text, such as <c>&lt;s&gt;</c>.</summary>
    Control = 3,

    /// <summary>Always found whole.</summary>
    UserDefined = 4,

    /// <summary>Not used.</summary>
    Unused = 5,

    /// <summary>A byte, <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>.</summary>
    Byte = 6,
}

/// <summary>A piece of the vocabulary; its place in the list is its id.</summary>
internal sealed record Piece(string Text, float Score, PieceType Type);

/// <summary>The part of a SentencePiece <c>tokenizer.model</c> that encoding needs.</summary>
internal sealed record SentencePieceModel
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private const int MostPieces = 1 << 22;

    /// <summary>The vocabulary.</summary>
    public required IReadOnlyList<Piece> Pieces { get; init; }

    /// <summary>True for BPE, false for Unigram.</summary>
    public bool IsBytePair { get; init; }

    /// <summary>Unknown characters become bytes.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A space is put before the text.</summary>
    public bool AddDummyPrefix { get; init; } = true;

    /// <summary>Runs of spaces become one, and those at the ends go.</summary>
    public bool RemoveExtraWhitespaces { get; init; } = true;

    /// <summary>The compiled character map; empty for none.</summary>
    public byte[] CharacterMap { get; init; } = [];

    /// <summary>
    /// The settings with the names that transformers' Llama tokenizer gives BOS, EOS and UNK when no configuration names them,
    /// as far as the model has such pieces.
    /// </summary>
    public TokenizerSettings Named(TokenizerSettings settings) => settings with
    {
        BosToken = settings.BosToken ?? Control("<s>"),
        EosToken = settings.EosToken ?? Control("</s>"),
        UnkToken = settings.UnkToken ?? Pieces.FirstOrDefault(piece => piece.Type == PieceType.Unknown)?.Text,
    };

    private string? Control(string text) => Pieces.Any(piece => piece.Type == PieceType.Control && piece.Text == text) ? text : null;

    /// <summary>Reads the protobuf message.</summary>
    /// <exception cref="InvalidDataException">It is broken, or of a kind that is not supported.</exception>
    public static SentencePieceModel Parse(byte[] content)
    {
        try
        {
            var input = new CodedInputStream(content);
            var (pieces, model) = (new List<Piece>(), new SentencePieceModel { Pieces = [] });
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                switch (tag)
                {
                    case (1 << 3) | 2 when pieces.Count < MostPieces: pieces.Add(ReadPiece(input.ReadBytes())); break;
                    case (2 << 3) | 2: model = ReadTrainer(input.ReadBytes(), model); break;
                    case (3 << 3) | 2: model = ReadNormalizer(input.ReadBytes(), model); break;
                    default: input.SkipLastField(); break;
                }
            }
            return pieces.Count > 0 ? model with { Pieces = pieces }
                : throw new InvalidDataException("has no pieces: is it a SentencePiece model?");
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidOperationException
            or DecoderFallbackException)
        {
            throw new InvalidDataException($"is not a SentencePiece model: {exception.Message}", exception);
        }
    }

    private static Piece ReadPiece(ByteString message)
    {
        var (text, score, type) = ("", 0f, PieceType.Normal);
        var input = message.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (1 << 3) | 2: text = Strict.GetString(input.ReadBytes().Span); break;
                case (2 << 3) | 5: score = input.ReadFloat(); break;
                case (3 << 3) | 0: type = (PieceType)input.ReadEnum(); break;
                default: input.SkipLastField(); break;
            }
        }
        if (text.Length == 0)
            throw new InvalidDataException("has a piece without text");
        return float.IsFinite(score) ? new Piece(text, score, type)
            : throw new InvalidDataException($"has the score {score} for the piece \"{text}\"");
    }

    private static SentencePieceModel ReadTrainer(ByteString message, SentencePieceModel model)
    {
        var input = message.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (3 << 3) | 0:
                    var kind = input.ReadEnum();
                    if (kind is not (1 or 2))
                        throw new InvalidDataException($"has the model type {kind}; Unigram (1) and BPE (2) are supported");
                    model = model with { IsBytePair = kind == 2 };
                    break;
                case (35 << 3) | 0: model = model with { ByteFallback = input.ReadBool() }; break;
                default: input.SkipLastField(); break;
            }
        }
        return model;
    }

    private static SentencePieceModel ReadNormalizer(ByteString message, SentencePieceModel model)
    {
        var input = message.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (2 << 3) | 2: model = model with { CharacterMap = input.ReadBytes().ToByteArray() }; break;
                case (3 << 3) | 0: model = model with { AddDummyPrefix = input.ReadBool() }; break;
                case (4 << 3) | 0: model = model with { RemoveExtraWhitespaces = input.ReadBool() }; break;
                default: input.SkipLastField(); break;
            }
        }
        return model;
    }
}
