using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models.Generation;
using Handbook.TestModels;
using Handbook.TestSupport;
using Handbook.Training.Options;

namespace Handbook.Sampling.Tests;

public sealed class LocalSamplerTests(TinyChat chat) : IClassFixture<TinyChat>
{
    private static readonly SampleSettings Settings = new()
    {
        Count = 3, MaxNewTokens = 12, Sampling = new SamplingOptions { Temperature = 0.9 },
    };

    private static SamplePrompt Ask(string text, ulong seed) => new(Turns.Of([new Message { Role = "user", Content = text }]), seed);

    private LocalSampler Open(int maxBatch = 32) =>
        (LocalSampler)new PolicyOptions { ModelFolder = chat.Policy, MaxBatch = maxBatch }.Open(TimeProvider.System);

    [Fact]
    public async Task Sample_OneByOneOrTogether_GivesTheSameAnswers()
    {
        var prompts = Enumerable.Range(0, 6).Select(i => Ask(string.Concat(Enumerable.Repeat("hello there ", 1 + i)), (ulong)i)).ToList();
        using var together = Open();
        using var narrow = Open(maxBatch: 2);
        var all = await together.SampleAsync(prompts, Settings);
        var few = await narrow.SampleAsync(prompts, Settings);
        for (var i = 0; i < prompts.Count; i++)
        {
            Assert.Equal(all[i].Completions, few[i].Completions);
            Assert.Equal(all[i].Completions, (await together.SampleAsync([prompts[i]], Settings))[0].Completions);
        }
        Assert.True(all.SelectMany(prompt => prompt.Completions).Select(answer => answer.Text).Distinct().Count() > 9,
            "seeds make no difference");
    }

    [Fact]
    public async Task Sample_PromptWithoutRoom_IsRefusedAndTheOthersAnswered()
    {
        using var sampler = Open();
        var results = await sampler.SampleAsync([Ask("hello", 1), Ask(string.Concat(Enumerable.Repeat("xyzw", 200)), 2)], Settings);
        Assert.Equal(3, results[0].Completions.Count);
        Assert.Matches(@"^the prompt has \d+ tokens, which leaves no room for an answer: the model has 512 positions$", results[1].Refusal);
    }

    [Fact]
    public async Task Sample_StopString_EndsTheAnswerAndIsNoPartOfIt()
    {
        using var sampler = Open();
        var free = (await sampler.SampleAsync([Ask("hello", 4)], Settings with { Count = 1 }))[0].Completions[0];
        var stop = free.Text[(free.Text.Length / 2)..][..2];
        var cut = (await sampler.SampleAsync([Ask("hello", 4)], Settings with { Count = 1, StopStrings = [stop] }))[0].Completions[0];
        Assert.Equal(free.Text[..free.Text.IndexOf(stop, StringComparison.Ordinal)].Trim(), cut.Text);
        Assert.False(cut.IsTruncated);
    }

    [Fact]
    public async Task Sample_PlainText_ContinuesWithTheSpaceThatStandsBetween()
    {
        using var sampler = new PolicyOptions { ModelFolder = SharedFolders.Data("models", "stories260K", "hf") }.Open(TimeProvider.System);
        var prompt = new SamplePrompt(Turns.Of("Once upon a time, there was a"), 0);
        var answer = (await sampler.SampleAsync([prompt],
            new SampleSettings { MaxNewTokens = 20, Sampling = SamplingOptions.Greedy }))[0].Completions[0];
        Assert.StartsWith(" little girl named", answer.Text, StringComparison.Ordinal);
        Assert.Equal(20, answer.Tokens);
        Assert.InRange(answer.Logp!.Value, -20, 0);
    }

    [Fact]
    public void Open_EosTokenThatIsNone_IsOneLine()
    {
        var policy = new PolicyOptions { ModelFolder = chat.Policy, Tokenizer = new TokenizerOptions { EosToken = "<|stop|>" } };
        Assert.Equal($"eos_token: <|stop|> is not a token of {chat.Policy}.",
            Assert.Throws<UserErrorException>(() => policy.Open(TimeProvider.System)).Message);
    }
}
