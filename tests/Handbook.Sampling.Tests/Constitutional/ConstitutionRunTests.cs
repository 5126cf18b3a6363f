using System.Text.Json.Nodes;
using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.Sampling.Constitutional;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Tests.Endpoints;
using Handbook.TestModels;
using Handbook.Training.Progress;

namespace Handbook.Sampling.Tests.Constitutional;

public sealed class ConstitutionRunTests(TinyChat chat) : IClassFixture<TinyChat>
{
    private static readonly Constitution Principles = Constitution.Parse(JsonNode.Parse("""
        {
          "constitutions": [{"critic": "Was it rude?", "revision": "Be kind."}, {"critic": "Was it long?", "revision": "Be brief."}],
          "system_chat": [
            [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
            [{"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]]
        }
        """), "c.json");

    private ConstitutionOptions Options(string output, PolicyOptions policy) => new()
    {
        Policy = policy,
        Prompts = new PromptOptions { Dataset = new DatasetRequest(chat.Prompts) },
        Settings = new SampleSettings { MaxNewTokens = 8 },
        Constitution = Principles,
        OutputDirectory = chat.File(output),
        PromptsPerBlock = 2,
    };

    private ConstitutionOptions Local(string output) => Options(output, new PolicyOptions { ModelFolder = chat.Policy });

    private static Task<ConstitutionResult> RunAsync(
        ConstitutionOptions options, ITrainingProgress? progress = null, CancellationToken stop = default) =>
        new ConstitutionRun(options, progress ?? new SilentProgress(), new SkippingClock()).ExecuteAsync(stop);

    private static List<JsonNode> Rows(string file) => [.. File.ReadLines(file).Select(line => JsonNode.Parse(line)!)];

    private Dictionary<string, string> Contents(
        string output) => new[] { "train_sft.jsonl", "train_prefs.jsonl", "report.html" }.ToDictionary(
        name => name, name => File.ReadAllText(Path.Combine(chat.File(output), name)).Replace(output, "OUT", StringComparison.Ordinal));

    /// <summary>Every word of the dialogue, in the order and with the columns of the original's generator.</summary>
    [Fact]
    public async Task Run_Dialogue_IsTheOriginals()
    {
        using var server = new StubServer(request => StubReply.Completion(request.LastMessage switch
        {
            "Was it rude?" or "Was it long?" => "Yes: " + request.LastMessage,
            "Be kind." or "Be brief." => "Better: " + request.LastMessage,
            var question => "First: " + question,
        }));
        var result = await RunAsync(Options("dialogue",
            new PolicyOptions { Endpoint = new EndpointOptions { Url = server.Url, Model = "m", Timeout = SkippingClock.Limit } }));
        var (sft, prefs) = (Rows(result.Files[0]), Rows(result.Files[1]));
        Assert.Equal(["train_sft.jsonl", "train_prefs.jsonl"], result.Files.Select(Path.GetFileName));
        // Half of the rows for each, as the original parts them.
        Assert.Equal((5, 6), (sft.Count, prefs.Count));
        Assert.All(sft.Concat(prefs), row =>
        {
            var principle = Principles.Principles.Single(one => one.Critic == row["critic_prompt"]!.GetValue<string>());
            Assert.Equal(
                ["index", "prompt", "init_prompt", "init_response", "critic_prompt", "critic_response", "revision_prompt",
                    "revision_response", "messages", "chosen", "rejected"],
                row.AsObject().Select(column => column.Key));
            Assert.Equal($"First: {row["prompt"]}", row["init_response"]!.GetValue<string>());
            Assert.Equal("Yes: " + principle.Critic, row["critic_response"]!.GetValue<string>());
            Assert.Equal((principle.Revision, "Better: " + principle.Revision),
                (row["revision_prompt"]!.GetValue<string>(), row["revision_response"]!.GetValue<string>()));
            Assert.Equal(row["revision_response"]!.GetValue<string>(), row["messages"]![1]!["content"]!.GetValue<string>());
            Assert.Equal(row["messages"]!.ToJsonString(), row["chosen"]!.ToJsonString());
            Assert.Equal(row["init_response"]!.GetValue<string>(), row["rejected"]![1]!["content"]!.GetValue<string>());
        });
        Assert.Equal(2, sft.Concat(prefs).Select(row => row["critic_prompt"]!.GetValue<string>()).Distinct().Count());
        // The examples stand first, then what was said so far.
        var last = server.Requests.Last(request => request.Body["messages"]!.AsArray().Count == 9).Body["messages"]!.AsArray();
        Assert.Equal(["q", "a", "r", "b"], last.Take(4).Select(message => message!["content"]!.GetValue<string>()));
        Assert.Equal("user assistant user assistant user assistant user assistant user",
            string.Join(' ', last.Select(message => message!["role"]!.GetValue<string>())));
    }

    [Fact]
    public async Task Run_Sets_AreReadByWhatTrainsOnThem()
    {
        var result = await RunAsync(Local("read"));
        foreach (var (split, takesPairs, shape) in new[] { ("train_sft", false, ExampleShape.Conversation),
            ("train_prefs", true, ExampleShape.Preference) })
        {
            var source = RowSource.Open(new DatasetRequest(chat.File("read"), Split: split),
                [new LocalDatasetResolver(".")], new SourceOptions());
            var reader = ExampleReader.Recognize(source, accepts: found => takesPairs || found != ExampleShape.Preference);
            Assert.Equal(shape, reader.Shape);
            Assert.NotEmpty(source.Read().Select(reader.Read).ToList());
        }
        Assert.All(Rows(result.Files[1]), row => Assert.NotEqual(row["chosen"]!.ToJsonString(), row["rejected"]!.ToJsonString()));
    }

    [Fact]
    public async Task Run_SeveralRounds_ReviseTheRevision()
    {
        var result = await RunAsync(Local("rounds") with { RevisionRounds = 2 });
        Assert.All(Rows(result.Files[0]),
            row => Assert.Equal(row["revision_response_2"]!.GetValue<string>(), row["chosen"]![1]!["content"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Run_TestSplit_HasSetsOfItsOwn()
    {
        Directory.CreateDirectory(chat.File("both"));
        File.Copy(chat.Prompts, chat.File("both/train.jsonl"));
        File.WriteAllLines(chat.File("both/test.jsonl"), ["{\"prompt\": \"how are you\"}", "{\"prompt\": \"yes no\"}"]);
        var options = Local("split") with
        {
            Prompts = new PromptOptions { Dataset = new DatasetRequest(chat.File("both")) },
            TestDataset = new DatasetRequest(chat.File("both"), Split: "test"),
        };
        var result = await RunAsync(options);
        Assert.Equal(["train_sft.jsonl", "train_prefs.jsonl", "test_sft.jsonl", "test_prefs.jsonl"], result.Files.Select(Path.GetFileName));
        Assert.Equal("how are you", Assert.Single(Rows(result.Files[2]))["prompt"]!.GetValue<string>());
        Assert.Equal(11,
            (await RunAsync(
                options with { TestDataset = new DatasetRequest(chat.File("both"), Split: "validation"),
                    OutputDirectory = chat.File("single") })).Report.Rows.Sum(row => int.Parse(row[1])));
    }

    [Fact]
    public async Task Run_StoppedAgainAndAgain_EndsWithTheSameBytes()
    {
        await RunAsync(Local("whole"));
        var stops = 0;
        for (var isDone = false; !isDone;)
        {
            using var stop = new CancellationTokenSource();
            try
            {
                await RunAsync(Local("stopped"), new StoppingProgress(stop, after: 7 + stops), stop.Token);
                isDone = true;
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }
        Assert.True(stops >= 3, $"stopped only {stops} times");
        Assert.Equal(Contents("whole"), Contents("stopped"));
    }

    [Theory]
    [InlineData("{}", "c.json: has no list constitutions; expected one of principles, each with critic and revision.")]
    [InlineData("""{"constitutions": [{"critique": "x", "revision": "y"}]}""", "c.json: constitutions[0].critic: expected a text.")]
    [InlineData("""{"constitutions": [{"critic": "x", "revision": " "}]}""", "c.json: constitutions[0].revision: expected a text.")]
    [InlineData("""{"constitutions": [{"critic": "x", "revision": "y"}], "system_chats": []}""",
        "c.json: system_chats is not a key of a constitution. Did you mean system_chat?")]
    [InlineData("""{"constitutions": [{"critic": "x", "revision": "y"}], "system_chat": ["hi"]}""",
        "c.json: system_chat: expected a list of conversations, each a list of turns with role and content.")]
    [InlineData("""{"constitutions": [{"critic": "x", "revision": "y"}], "system_chat": [[{"content": "hi"}]]}""",
        "c.json: system_chat: a message has no \"role\"; each message needs one, such as \"user\" or \"assistant\".")]
    [InlineData("""{"constitutions": [{"critic": "x", "revision": "y"}], "system_chat": [{"role": "user", "content": "hi"}]}""",
        "c.json: system_chat: must end with a turn of the assistant; the prompt of a user follows it.")]
    public void Parse_BrokenConstitution_IsOneLine(string json, string expected) =>
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => Constitution.Parse(JsonNode.Parse(json), "c.json")).Message);
}
