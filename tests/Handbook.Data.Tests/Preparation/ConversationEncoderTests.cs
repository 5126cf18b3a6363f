using System.Globalization;
using Handbook.Chat;
using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.TestSupport;
using Handbook.Tokenizers;
using Xunit.Abstractions;

namespace Handbook.Data.Tests.Preparation;

public sealed class ConversationEncoderTests(ITestOutputHelper output) : IDisposable
{
    private const string StrictTemplate =
        "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) "
        + "%}{{ raise_exception('roles must alternate') }}{% endif %}" +
        "{{ '<' + m['role'] + '>' + m['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}";

    private static readonly Tokenizer Tokenizer = MadeText.Tokenizer(1000, "<|endoftext|>");
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Prepare_AssistantOnly_LabelsTheAnswersAndTheirEnds()
    {
        folder.Write("t.jsonl",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Two plus two?\"},{\"role\":\"assistant\",\"content\":\"Four.\"}]}\n");
        using var store = Prepare("t.jsonl", LabelScope.AssistantTurns);
        var row = store.Train.Row(0);
        Assert.Equal("<user>Two plus two?<|endoftext|><assistant>Four.<|endoftext|>",
            Tokenizer.Decode(row.TokenIds, skipSpecialTokens: false));
        Assert.Equal("Four.<|endoftext|>", Tokenizer.Decode([.. row.TokenIds.Where((_, i) => row.LossMask[i])], skipSpecialTokens: false));
    }

    [Fact]
    public void Prepare_PromptAndCompletion_LabelsTheCompletion()
    {
        folder.Write("t.jsonl", "{\"prompt\":\"Two plus two is\",\"completion\":\" four.\"}\n");
        using var store = Prepare("t.jsonl");
        var row = store.Train.Row(0);
        Assert.Equal(" four.<|endoftext|>", Tokenizer.Decode([.. row.TokenIds.Where((_, i) => row.LossMask[i])], skipSpecialTokens: false));
        using var all = Prepare("t.jsonl", options: new EncoderOptions { PromptLabels = true });
        Assert.Equal(row.TokenCount - 1, all.Train.LossTokenCount);
    }

    [Fact]
    public void Prepare_Pair_KeepsOnePromptForBothAnswers()
    {
        folder.Write("t.jsonl",
            "{\"chosen\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"good\"}],"
                + "\"rejected\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"bad\"}]}\n");
        using var store = Prepare("t.jsonl",
            options: new EncoderOptions { Kind = StoreKind.Pairs, Limits = new AnswerLimits { MaxLength = 64 } });
        var pair = store.Train.Pair(0);
        Assert.Equal(
            ["<user>q<|endoftext|><assistant>", "good<|endoftext|>", "bad<|endoftext|>"],
            new[] { pair.Prompt, pair.Chosen, pair.Rejected }.Select(ids => Tokenizer.Decode(ids, skipSpecialTokens: false)));
    }

    [Fact]
    public void Prepare_ConsecutiveUserTurnsUnderAStrictTemplate_NamesTheRow()
    {
        folder.Write("t.jsonl", """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}
            {"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}
            """);
        var error = Assert.Throws<UserErrorException>(() => Prepare("t.jsonl"));
        Assert.Contains("t.jsonl, line 2, column \"messages\": chat template line 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("roles must alternate", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        using var store = Prepare("t.jsonl", skipBadRows: true);
        Assert.Equal(1, store.Train.ExampleCount);
        Assert.Equal(1, store.Manifest.BadRows);
        Assert.Contains("line 2", store.Manifest.BadRowExamples[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\":\"plain\"}", LabelScope.AssistantTurns, null, "plain text has no prompt and no assistant")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", LabelScope.Everything, false,
        "completion_only_loss needs prompt and completion")]
    [InlineData("{\"chosen\":\"a b\",\"rejected\":\"a c\"}", LabelScope.Everything, null, "this task needs messages")]
    public void Prepare_ShapeThatTheTaskCannotUse_SaysWhy(string row, LabelScope labels, bool? promptLabels, string reason)
    {
        folder.Write("t.jsonl", row);
        Assert.Contains(reason,
            Assert.Throws<UserErrorException>(() => Prepare("t.jsonl", labels, new EncoderOptions { PromptLabels = promptLabels })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_RealConversations_FillsRowsTo98Percent()
    {
        var file = SharedFolders.Data("sft", "train.jsonl");
        var encoder = new ConversationEncoder(
            new ConversationTokenizer(Tokenizer.Load(SharedFolders.Data("tokenizers", "gpt2")), ChatTemplate.ChatMl), "gpt2");
        foreach (var max in new[] { 1024, 2048, 4096 })
        {
            using var store = new DataPreparation(
                new PreparationOptions { Sources = [new DatasetPart(new DatasetRequest(file))],
                    Packing = new PackingOptions { MaxLength = max }, CacheFolder = folder.File("cache") }, encoder).Prepare();
            var set = store.Train.Summary;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"max_length {max}: {set.ExampleCount} examples, {set.TokenCount} tokens, "
                    + $"{set.RowCount} rows, efficiency {set.Efficiency:F4}"));
            Assert.True(set.Efficiency >= 0.98, $"efficiency {set.Efficiency} at {max}");
            Assert.Equal(0, set.WithoutLabel);
        }
    }

    private TokenStore Prepare(
        string name, LabelScope labels = LabelScope.Everything, EncoderOptions? options = null,
        bool skipBadRows = false) => new DataPreparation(
        new PreparationOptions
        {
            Sources = [new DatasetPart(new DatasetRequest(name))],
            Packing = new PackingOptions { MaxLength = 64 },
            SkipBadRows = skipBadRows,
            CacheFolder = folder.File("cache"),
        },
        new ConversationEncoder(new ConversationTokenizer(Tokenizer, StrictTemplate, new ConversationOptions { Labels = labels }),
            "made", options),
        [new LocalDatasetResolver(folder.Path)]).Prepare();
}
