using System.Text;
using CsCheck;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

[Trait("Category", "Golden")]
public sealed class DecodingTests
{
    public static TheoryData<string> Families => [.. GoldenFamilies.Names];

    [Theory]
    [MemberData(nameof(Families))]
    public void Decode_OfEncodedText_GivesTextBack(string family)
    {
        var tokenizer = GoldenFamilies.Load(family);
        // Only a vocabulary that has every byte can give all text back: this text has each byte that UTF-8 uses.
        var probe = string.Concat(Enumerable.Range(0, 0x250)
            .Concat([0x800, .. Enumerable.Range(1, 12).Select(lead => lead << 12), 0xE000, 0xF000,
            0x10000, 0x40000, 0x80000, 0xC0000, 0x100000]).Select(char.ConvertFromUtf32));
        if (tokenizer.Decode(tokenizer.Encode(probe, false).Ids, false) != probe)
            return;
        // Marks become spaces, and a space may stand where an added token was: such texts are left out.
        FastEncoderTests.Texts.Where(text => text.AsSpan().IndexOfAny('<', '[', '\u2581') < 0).Sample(text =>
        {
            var sanitized = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            Assert.Equal(sanitized.TrimStart(' '), tokenizer.Decode(tokenizer.Encode(text, false).Ids, false).TrimStart(' '));
        }, iter: 100, threads: 1);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void StreamingDecoder_AnyText_GivesWholeCharactersThatAddUp(string family)
    {
        var tokenizer = GoldenFamilies.Load(family);
        FastEncoderTests.Texts.Sample(text =>
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: true).Ids;
            var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
            var pieces = ids.Select(decoder.Append).ToList();
            pieces.Add(decoder.Flush());
            Assert.All(pieces, piece => Assert.Equal(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece))));
            Assert.Equal(tokenizer.Decode(ids, skipSpecialTokens: false), string.Concat(pieces));
        }, iter: 60, threads: 1);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void StreamingDecoder_CharacterOfSeveralTokens_IsHeldBack(string family)
    {
        var tokenizer = GoldenFamilies.Load(family);
        const string Emoji = "\U0001F9FF";
        var ids = tokenizer.Encode(Emoji, addSpecialTokens: false).Ids;
        if (tokenizer.Decode(ids, false) != Emoji || ids.Length < 2)
            return;
        var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: true);
        var pieces = ids.Select(decoder.Append).ToList();
        Assert.Equal(Emoji, pieces[^1].TrimStart());
        Assert.All(pieces[..^1], piece => Assert.Equal("", piece.Trim()));
    }

    [Fact]
    public void StreamingDecoder_EndlessInvalidBytes_DoesNotHoldBackForEver()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", """
            {"decoder":{"type":"ByteLevel"},"pre_tokenizer":null,"model":{"type":"BPE","vocab":{"a":0,"\u0122":1},"merges":[]}}
            """);
        // U+0122 spells byte 0x80, which never begins a character.
        var decoder = Tokenizer.Load(folder.Path).CreateStreamingDecoder(skipSpecialTokens: false);
        var text = string.Concat(Enumerable.Range(0, 1000).Select(_ => decoder.Append(1)));
        Assert.True(text.Length > 900, $"{text.Length} characters after 1000 tokens");
        Assert.Equal(1000, (text + decoder.Flush()).Length);
    }
}
