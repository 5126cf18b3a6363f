namespace Handbook.Tokenizers.Training;

/// <summary>What a byte-level BPE tokenizer is trained to be.</summary>
public sealed record BpeTrainerOptions
{
    /// <summary>Tokens in all: special tokens, the 256 bytes and merges. At least special tokens + 256.</summary>
    public required int VocabSize { get; init; }

    /// <summary>A pair seen less often is not merged. Default 2; Hugging Face's trainer has 0.</summary>
    public long MinFrequency { get; init; } = 2;

    /// <summary>Special tokens; they get the first ids, in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [];

    /// <summary>Whether each digit is a word of its own, as SmolLM and StarCoder have it. Default false: GPT-2's words.</summary>
    public bool SplitDigits { get; init; }
}
