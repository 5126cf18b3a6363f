namespace Handbook.Foundation.Tests;

public class PrintableTextTests
{
    [Theory]
    [InlineData("plain text, ~ included", "plain text, ~ included")]
    [InlineData("a\nb\r\n\tc", "a\\nb\\r\\n\\tc")]
    [InlineData("\u001b[2J\u0007\u009b31m\u007f\0", "\\x1b[2J\\x07\\x9b31m\\x7f\\x00")]
    [InlineData("user\u202egpj.exe\u2066x\u2069\u200f\u061c", "user\\u202egpj.exe\\u2066x\\u2069\\u200f\\u061c")]
    [InlineData("line\u2028end\u2029\u0085", "line\\u2028end\\u2029\\x85")]
    [InlineData("soft\u00adhyphen, byte order \ufeff, tag \U000E0041", "soft\\xadhyphen, byte order \\ufeff, tag \\U000e0041")]
    [InlineData("Grüße, سلام, 日本語, नमस्ते, می\u200cخواهم, 👩\u200d👧", "Grüße, سلام, 日本語, नमस्ते, می\u200cخواهم, 👩\u200d👧")]
    public void Line_ShowsWhatWouldSteer(string text, string expected) => Assert.Equal(expected, PrintableText.Line(text));

    // An attribute cannot hold half a surrogate pair.
    [Fact]
    public void Line_ShowsHalfAPair() => Assert.Equal("half \\ud83d pair \\udc00", PrintableText.Line("half \ud83d pair \udc00"));

    [Fact]
    public void Lines_KeepLineFeedsAndTabs() =>
        Assert.Equal("a\n\tb\\x0d\\x1b".Replace("\\x0d", "\\r", StringComparison.Ordinal), PrintableText.Lines("a\n\tb\r\u001b"));

    [Fact]
    public void Line_OfAMegabyte_SaysHowLong() =>
        Assert.Equal("xxxx... (1000000 characters)", PrintableText.Line(new string('x', 1_000_000), 4));
}
