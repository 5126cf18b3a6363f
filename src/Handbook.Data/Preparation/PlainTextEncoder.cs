using System.Text;
using Handbook.Data.Examples;
using Handbook.Data.Mixtures;
using Handbook.Data.Store;
using Handbook.Tokenizers;

namespace Handbook.Data.Preparation;

/// <summary>How plain text becomes a sequence.</summary>
public sealed record PlainTextOptions
{
    /// <summary>Whose rules hold where eras differ.</summary>
    public Profile Profile { get; init; } = Profile.Best;

    /// <summary>Whether the tokenizer adds its special tokens (BOS); null: it does.</summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>Whether EOS ends a text; null: it does. Never doubled, except under <see cref="Profile.V03"/>, which doubles it.</summary>
    public bool? AppendEos { get; init; }
}

/// <summary>Encodes plain text (and rows that are tokens already): every token is a label.</summary>
public sealed class PlainTextEncoder : IExampleEncoder
{
    private readonly Tokenizer tokenizer;
    private readonly PlainTextOptions options;
    private readonly int eos;

    /// <summary>An encoder over a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="tokenizerFingerprint">See <see cref="TokenizerFingerprint"/>.</param>
    /// <param name="options">Special tokens.</param>
    /// <exception cref="UserErrorException">EOS is to end texts and the tokenizer has none.</exception>
    public PlainTextEncoder(Tokenizer tokenizer, string tokenizerFingerprint, PlainTextOptions? options = null)
    {
        this.tokenizer = tokenizer;
        this.options = options ?? new PlainTextOptions();
        eos = tokenizer.EosId ?? (AppendsEos
            ? throw new UserErrorException("the tokenizer has no eos_token to end texts with; set eos_token in tokenizer_config.json")
            : -1);
        Fingerprint = $"plain text; {tokenizerFingerprint}; eos {eos}; {this.options}";
    }

    /// <inheritdoc/>
    public StoreKind Kind => StoreKind.Sequences;

    /// <inheritdoc/>
    public string Fingerprint { get; }

    private bool AppendsEos => options.AppendEos ?? true;

    /// <inheritdoc/>
    public string? Refuses(ExampleShape shape) => shape is ExampleShape.Text or ExampleShape.Tokenized ? null
        : $"this task needs plain text (a column \"text\", or text_column) or input_ids";

    /// <inheritdoc/>
    public EncodedExample? Encode(Example example)
    {
        if (example is TokenizedExample tokens)
            return EncodedExample.Sequence(tokens.TokenIds, tokens.LossMask);
        var text = ((TextExample)example).Text;
        if (text.Length == 0)
            return null;
        var ids = tokenizer.Encode(text, options.AddSpecialTokens ?? true).Ids;
        if (AppendsEos && (options.Profile == Profile.V03 || ids.Length == 0 || ids[^1] != eos))
            ids = [.. ids, eos];
        var mask = new bool[ids.Length];
        Array.Fill(mask, true);
        return EncodedExample.Sequence(ids, mask, CodePoints(text));
    }

    /// <summary>What Python calls the length of a text.</summary>
    internal static int CodePoints(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }
}
