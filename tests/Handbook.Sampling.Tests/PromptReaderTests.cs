using Handbook.Data.Sources;

namespace Handbook.Sampling.Tests;

public sealed class PromptReaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-prompts-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Read_BrokenRowsFirst_AreNamedOrLeftOut()
    {
        var path = Path.Combine(folder, "t.jsonl");
        File.WriteAllText(path,
            string.Concat(Enumerable.Repeat("oops\n", 30)) + "{\"prompt\":\"half \\ud83d\"}\n{\"prompt\":\"whole\",\"score\":NaN}\n");
        var options = new PromptOptions { Dataset = new DatasetRequest(path) };
        Assert.StartsWith($"{path}, line 1: not valid JSON", Assert.Throws<UserErrorException>(() => PromptReader.Read(options)).Message,
            StringComparison.Ordinal);
        var prompt = Assert.Single(PromptReader.Read(options with { SkipBadRows = true }));
        Assert.Equal("whole", prompt.Turns.Messages![0].Content);
        // What scorers see of the row is JSON that anybody reads.
        Assert.Equal("NaN", prompt.Column("score"));
    }
}
