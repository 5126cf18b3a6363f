using Handbook.Reports.Sweeps;
using Handbook.TestSupport;

namespace Handbook.Reports.Tests.Sweeps;

public sealed class SweepResultsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>What an earlier sweep left, with other content: a user's mistake in words, never anything else.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"x\":\"\\ud800\"}")]
    [InlineData("{\"runs\":3}")]
    [InlineData("{\"runs\":[3]}")]
    [InlineData("{\"runs\":[{}]}")]
    [InlineData("{\"runs\":[{\"name\":7}]}")]
    [InlineData("{\"runs\":[{\"name\":\"a\",\"name\":\"b\"}]}")]
    public void Load_AnyContent_EndsInAResultOrAMistakeInWords(string content)
    {
        var path = folder.Write(SweepResults.FileName, content);
        if (Record.Exception(() => new SweepResults(folder.Path).Load()) is { } error)
            Assert.StartsWith(path, Assert.IsType<UserErrorException>(error).Message, StringComparison.Ordinal);
    }
}
