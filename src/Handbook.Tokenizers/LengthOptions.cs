using System.Text.Json;
using Handbook.Tokenizers.Files;

namespace Handbook.Tokenizers;

/// <summary>An end of a token sequence.</summary>
public enum SequenceSide
{
    /// <summary>The front.</summary>
    Left,

    /// <summary>The end.</summary>
    Right,
}

/// <summary>
/// The <c>truncation</c> section of tokenizer.json. <see cref="Tokenizer.Encode"/> does not apply it, as transformers does not.
/// </summary>
/// <param name="MaxLength">Most tokens, special ones included.</param>
/// <param name="Side">Which end is cut.</param>
public sealed record TruncationOptions(int MaxLength, SequenceSide Side = SequenceSide.Right)
{
    private static readonly Dictionary<string, SequenceSide> Sides = SideNames();

    internal static Dictionary<string, SequenceSide> SideNames() => new(StringComparer.Ordinal)
    {
        ["Left"] = SequenceSide.Left,
        ["Right"] = SequenceSide.Right,
    };

    internal static TruncationOptions Read(JsonSection section) =>
        new(section.Int("max_length"), section.Choice<SequenceSide>("direction", Sides, SequenceSide.Right));
}

/// <summary>
/// The <c>padding</c> section of tokenizer.json. <see cref="Tokenizer.Encode"/> does not apply it, as transformers does not.
/// </summary>
/// <param name="FixedLength">Length to pad to; null pads to the longest of a batch.</param>
/// <param name="PadId">Id of the padding token.</param>
/// <param name="PadToken">Its text.</param>
public sealed record PaddingOptions(int? FixedLength, int PadId, string PadToken)
{
    private static readonly Dictionary<string, SequenceSide> Sides = TruncationOptions.SideNames();

    /// <summary>Which end is padded. Default right.</summary>
    public SequenceSide Side { get; init; } = SequenceSide.Right;

    /// <summary>The padded length is rounded up to a multiple of this; null or 0 does not round.</summary>
    public int? MultipleOf { get; init; }

    internal static PaddingOptions Read(JsonSection section)
    {
        int? length = null;
        if (section.Find("strategy") is { ValueKind: JsonValueKind.Object } strategy)
            length = new JsonSection(strategy, section.PathOf("strategy")).Int("Fixed");
        return new PaddingOptions(length, section.Int("pad_id", 0), section.StringOrNull("pad_token") ?? "[PAD]")
        {
            Side = section.Choice<SequenceSide>("direction", Sides, SequenceSide.Right),
            MultipleOf = section.Find("pad_to_multiple_of") is null ? null : section.Int("pad_to_multiple_of"),
        };
    }
}
