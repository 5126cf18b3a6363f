using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>What is no ordinary file, or never ends, in the place of a tokenizer's files.</summary>
public sealed class StrangeFileTests
{
    public static TheoryData<string> Files => ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Load_APipeInAFilesPlace_IsOneLine(string file)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", CharacterTokenizer.Json());
        File.Delete(Path.Combine(folder.Path, file));
        SpecialFiles.MakePipe(Path.Combine(folder.Path, file));
        Refused(folder, file);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Load_AFileOfATerabyte_IsOneLine(string file)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", CharacterTokenizer.Json());
        using (var stream = new FileStream(Path.Combine(folder.Path, file), FileMode.OpenOrCreate))
            stream.SetLength(1L << 40);
        Refused(folder, file);
    }

    [DeviceFact]
    public void Load_EndlessZeros_AreOneLine()
    {
        using var folder = new TemporaryFolder();
        SpecialFiles.MakeZeros(Path.Combine(folder.Path, "tokenizer.json"));
        Refused(folder, "tokenizer.json");
    }

    private static void Refused(TemporaryFolder folder, string file)
    {
        var error = Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.Path));
        Assert.StartsWith(Path.Combine(folder.Path, file) + ": ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
