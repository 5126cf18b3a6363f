using Handbook.Autograd;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models;
using Handbook.Sampling.Scoring;
using Handbook.TestModels;
using Handbook.Tokenizers;
using Handbook.Torch;

namespace Handbook.Sampling.Tests.Scoring;

public sealed class RewardModelScorerTests(TinyChat chat) : IClassFixture<TinyChat>
{
    private static PromptRow Prompt(int index, string text) =>
        new(index, $"{index}", Turns.Of([new Message { Role = "user", Content = text }]), default);

    /// <summary>One sequence at a time, as transformers computes it, against rows in which answers share their prompt.</summary>
    [Fact]
    public async Task Score_PackedWithSharedPrompts_EqualsOneByOne()
    {
        string[] answers = ["yes", "no perhaps", "", "one two three four five six seven eight nine ten", "yes"];
        var asked = Enumerable.Range(0, 7)
            .SelectMany(i => answers.Select(answer => new PromptCompletion(Prompt(i, $"hello {i} my friend"), answer))).ToList();
        using var scorer = new RewardModelScorer(chat.RewardModel);
        var scores = await scorer.ScoreAsync(asked, default);
        var expected = OneByOne(asked);
        Assert.All(scores.Zip(expected), pair => Assert.Equal(pair.Second, pair.First!.Value, 1e-4));
        Assert.True(expected.Distinct().Count() > 20, "the reward model tells nothing apart");
    }

    [Fact]
    public async Task Score_AnswerBeyondThePositions_IsLeftOut()
    {
        using var scorer = new RewardModelScorer(chat.RewardModel);
        var scores = await scorer.ScoreAsync([new(Prompt(0, "hello"), "yes"), new(Prompt(0, "hello"), new string('x', 900))], default);
        Assert.NotNull(scores[0]);
        Assert.Null(scores[1]);
    }

    [Fact]
    public async Task Score_PromptThatTheTemplateRefuses_IsNamed()
    {
        using var copy = new TinyChat();
        var file = Path.Combine(copy.RewardModel, "chat_template.jinja");
        File.WriteAllText(file,
            "{% if messages[0].role == 'system' %}{{ raise_exception('no system here') }}{% endif %}" + File.ReadAllText(file));
        using var scorer = new RewardModelScorer(copy.RewardModel);
        var prompt = new PromptRow(3, "three",
            Turns.Of([new Message { Role = "system", Content = "s" }, new Message { Role = "user", Content = "u" }]), default);

        var error = await Assert.ThrowsAsync<UserErrorException>(() => scorer.ScoreAsync([new(prompt, "yes")], default));

        Assert.StartsWith($"reward_model:{copy.RewardModel}: prompt three cannot be scored: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("no system here", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);

        var notes = new List<string>();
        using var skipping = new RewardModelScorer(copy.RewardModel) { SkipsRefused = true, Note = notes.Add };
        var scores = await skipping.ScoreAsync([new(prompt, "yes"), new(prompt, "no"), new(Prompt(4, "hello"), "yes")], default);
        Assert.Equal([false, false, true], scores.Select(score => score is not null));
        Assert.EndsWith("; its answers have no score", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_LanguageModel_IsRefused()
    {
        var error = Assert.Throws<UserErrorException>(() => new RewardModelScorer(chat.Policy));
        Assert.Equal(
            $"{chat.Policy}: is not a reward model: it has no score.weight. 'handbook reward' trains one. From this folder: handbook "
                + $"reward --model_name_or_path={chat.Policy} --dataset_name=PAIRS --output_dir=OUT", error.Message);
    }

    private List<double> OneByOne(IEnumerable<PromptCompletion> asked)
    {
        var conversations = new ConversationTokenizer(Tokenizer.Load(chat.RewardModel));
        using var model = SequenceClassifier.Load(chat.RewardModel);
        var scores = new List<double>();
        foreach (var answer in asked)
        {
            using var scope = new TensorScope();
            using var tape = new Tape(isRecording: false);
            var ids = conversations.Pairs.Tokenize(answer.Prompt.Turns.Messages!,
                    [new Message { Role = "assistant", Content = answer.Text }]) is var pair
                ? (int[])[.. pair.Prompt, .. pair.Completion] : [];
            scores.Add(model.Forward(tape, ids, SequenceLayout.Documents([ids.Length]), [ids.Length - 1]).Value.ToArray<float>()[0]);
        }
        return scores;
    }
}
