using CsCheck;

namespace Handbook.Tokenizers.Tests;

/// <summary>Each fast encoder against the plain one, which is the definition, on arbitrary text.</summary>
public sealed class FastEncoderTests
{
    private static readonly string[] Snippets =
    [
        " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "'\u017F", "1", "23", "\u0663", "\u00BD", "\u00E9", "e\u0301", "\u00DF", "\u4E2D\u6587",
        "\uAC00\uAC01", "\u1112\u1161\u11AB", "\U0001F600", "\U0001D4B3", "\u00A0", "\u2581", "<s>", "<unk>", "</s>", "<|endoftext|>",
        "...", "--", "</", "\u0300", "\u093C", "\uFFFD", "\0", "\u001D", "hello", " world", "The", "Don't", "\u00C0\u00C9",
        "\u200D", "\u3000",
        "[INST]", "<|im_start|>", "\uD800", "\uDC00",
    ];

    /// <summary>Text rich in what pre-tokenizers look at: spaces, breaks, digits, quotes, marks, astral and odd characters.</summary>
    internal static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Int[0, Snippets.Length - 1].Select(i => Snippets[i]),
        Gen.Char[' ', '~'].Array[1, 6].Select(units => new string(units)),
        Gen.Char.Select(unit => unit.ToString()),
        Gen.Int[0x10000, 0x10FFFF].Select(char.ConvertFromUtf32))
        .Array[0, 24].Select(string.Concat);

    public static TheoryData<string> Families => [.. GoldenFamilies.Names];

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Category", "Golden")]
    public void Encode_ArbitraryText_IsThatOfPlainEncoder(string family)
    {
        var fast = GoldenFamilies.Load(family);
        var plain = fast.WithoutFastEncoder();
        Texts.Sample(text =>
        {
            var (expected, actual) = (plain.Encode(text, true), fast.Encode(text, true));
            Assert.Equal(expected.Ids, actual.Ids);
            Assert.Equal(expected.Offsets, actual.Offsets);
        }, iter: 100, threads: 1);
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Category", "Golden")]
    public void Load_GoldenFamily_HasFastEncoder(string family) => Assert.True(GoldenFamilies.Load(family).HasFastEncoder);

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Category", "Golden")]
    public void EncodeBatch_ManyTexts_IsEncodeOfEach(string family)
    {
        var tokenizer = GoldenFamilies.Load(family);
        var texts = GoldenFamilies.Cases(family).Select(golden => golden.GetProperty("text").GetString()!).ToArray();
        var batch = tokenizer.EncodeBatch(texts, addSpecialTokens: true, threads: 4);
        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(tokenizer.Encode(texts[i], addSpecialTokens: true).Ids, batch[i].Ids);
    }
}
