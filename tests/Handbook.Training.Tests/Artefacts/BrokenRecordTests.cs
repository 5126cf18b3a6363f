using Handbook.TestSupport;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Artefacts;

/// <summary>The JSON files that runs leave for later ones, with other content: a user's mistake in words, never anything else.</summary>
public sealed class BrokenRecordTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Contents() =>
    [
        "", "{", "[]", "3", "null", "\"x\"", "{}", "{\"a\":1,\"a\":2}", "{\"x\":\"\\ud800\"}",
        "{\"step\":1,\"files\":3}", "{\"step\":1e99,\"files\":[]}", "{\"step\":1,\"step\":2,\"files\":[]}", "{\"step\":1,\"files\":[3]}",
        "{\"step\":1,\"files\":[{\"path\":\"a\\u0000b\",\"size\":1,\"sha256\":\"\"}]}",
        "{\"step\":1,\"files\":[{\"path\":\"\\ud800\",\"size\":1,\"sha256\":\"\"}]}",
        "{\"step\":1,\"files\":[{\"path\":\"a\",\"size\":1e99,\"sha256\":\"\"}]}", "{\"step\":1,\"files\":[],\"format_version\":\"x\"}",
        "{\"global_step\":\"x\"}", "{\"global_step\":1e99}", "{\"global_step\":1,\"max_steps\":null}", "{\"log_history\":[3]}",
        "{\"log_history\":3,\"global_step\":1}",
        "{\"task\":3}", "{\"task\":\"sft\",\"keys\":[]}", "{\"task\":\"sft\",\"keys\":{\"a\":1}}",
    ];

    [Theory]
    [MemberData(nameof(Contents))]
    public void Load_AnyContent_EndsInAResultOrAMistakeInWords(string content)
    {
        var state = folder.Write(TrainerState.FileName, content);
        if (Record.Exception(() => TrainerState.Load(state)) is { } error)
            Assert.StartsWith(state, Assert.IsType<UserErrorException>(error).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.File(CheckpointManifest.FileName), content);
        Assert.NotNull(CheckpointManifest.FindFault(folder.Path, 1));
        File.WriteAllText(folder.File(RunIdentity.FileName), content);
        Assert.Null(RunIdentity.Load(folder.Path));
    }
}
