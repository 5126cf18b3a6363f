using System.Text.Json;
using Handbook.Tokenizers.Decoders;
using Handbook.Tokenizers.Models;
using Handbook.Tokenizers.Normalizers;
using Handbook.Tokenizers.PostProcessors;
using Handbook.Tokenizers.PreTokenizers;

namespace Handbook.Tokenizers.Files;

/// <summary>What tokenizer.json says, as objects.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>Changes characters; null for none.</summary>
    public Normalizer? Normalizer { get; init; }

    /// <summary>Cuts text; null for none.</summary>
    public PreTokenizer? PreTokenizer { get; init; }

    /// <summary>Turns pieces into tokens.</summary>
    public required TokenModel Model { get; init; }

    /// <summary>Adds special tokens; null for none.</summary>
    public PostProcessor? PostProcessor { get; init; }

    /// <summary>Turns tokens into text; null joins them with spaces.</summary>
    public TokenDecoder? Decoder { get; init; }

    /// <summary>Added tokens in the file's order.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>The file's own truncation section; null for none.</summary>
    public TruncationOptions? Truncation { get; init; }

    /// <summary>The file's own padding section; null for none.</summary>
    public PaddingOptions? Padding { get; init; }

    /// <summary>The file itself, UTF-8, to be written back.</summary>
    public required byte[] Json { get; init; }

    /// <summary>Reads a whole tokenizer.json.</summary>
    /// <exception cref="InvalidDataException">Something in it is wrong or not known; the message names the key.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static TokenizerDefinition Parse(byte[] json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
        var file = new JsonSection(document.RootElement, "");
        var model = file.Section("model") ?? throw new InvalidDataException("model is missing");
        return new TokenizerDefinition
        {
            Normalizer = file.Section("normalizer") is { } normalizer ? NormalizerReader.Read(normalizer) : null,
            PreTokenizer = file.Section("pre_tokenizer") is { } preTokenizer ? PreTokenizerReader.Read(preTokenizer) : null,
            Model = ModelReader.Read(model),
            PostProcessor = file.Section("post_processor") is { } postProcessor ? PostProcessorReader.Read(postProcessor) : null,
            Decoder = file.Section("decoder") is { } decoder ? DecoderReader.Read(decoder) : null,
            AddedTokens = file.Find("added_tokens") is null ? [] : file.Sections("added_tokens").ConvertAll(ReadAddedToken),
            Truncation = file.Section("truncation") is { } truncation ? TruncationOptions.Read(truncation) : null,
            Padding = file.Section("padding") is { } padding ? PaddingOptions.Read(padding) : null,
            Json = json,
        };
    }

    /// <summary>An added token's text and flags.</summary>
    internal static AddedToken ReadAddedToken(JsonSection section)
    {
        var special = section.Bool("special", false);
        return new AddedToken(section.String("content"))
        {
            Special = special,
            SingleWord = section.Bool("single_word", false),
            StripLeft = section.Bool("lstrip", false),
            StripRight = section.Bool("rstrip", false),
            Normalized = section.Bool("normalized", !special),
        };
    }
}
