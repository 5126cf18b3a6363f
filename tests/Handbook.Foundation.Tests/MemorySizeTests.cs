namespace Handbook.Foundation.Tests;

public class MemorySizeTests
{
    [Theory]
    [InlineData("24GB", 24_000_000_000)]
    [InlineData("1.5 GiB", 1_610_612_736)]
    [InlineData("900mb", 900_000_000)]
    [InlineData("8G", 8_000_000_000)]
    [InlineData("512 KiB", 524_288)]
    public void Sizes_AreRead(string text, long bytes) => Assert.Equal(bytes, MemorySize.Parse("--memory", text));

    [Theory]
    [InlineData("")]
    [InlineData("24")]
    [InlineData("GB")]
    [InlineData("-1GB")]
    [InlineData("0GB")]
    [InlineData("1e9GB")]
    [InlineData("99999999999999999999TB")]
    [InlineData("24 gigs")]
    public void OtherWords_AreRefused_InOneLine(string text)
    {
        var error = Assert.Throws<UserErrorException>(() => MemorySize.Parse("--memory", text));
        Assert.StartsWith("--memory ", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
