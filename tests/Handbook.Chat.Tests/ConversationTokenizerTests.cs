using System.Text.Json.Nodes;
using Handbook.Chat.Inspection;
using Handbook.Tokenizers;

namespace Handbook.Chat.Tests;

[Trait("Category", "Golden")]
public sealed class ConversationTokenizerTests
{
    private const string BosTwice = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}";
    private const string NoEnd = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";

    private static readonly Message[] Conversation =
    [
        Say("user", "Name a colour of the sky."), Say("assistant", "Blue, mostly."), Say("user", "And at night?"),
        Say("assistant", "Black \ud83c\udf19 and stars"),
    ];

    public static TheoryData<string> Names() => RealTokenizers.Names();

    private static Message Say(string role, string content) => new() { Role = role, Content = content };

    private static int[] Join(int[] first, int[] second) => [.. first, .. second];

    private static ConversationTokenizer Make(
        string name, string? template = null, LabelScope labels = LabelScope.AssistantTurns, Profile profile = Profile.Best) =>
        new(RealTokenizers.Get(name), template, new ConversationOptions { Labels = labels, Profile = profile });

    private static int BosCount(Tokenizer tokenizer, int[] ids) => ids.TakeWhile(id => id == tokenizer.BosId).Count();

    [Theory]
    [MemberData(nameof(Names))]
    public void Tokenize_AssistantTurns_LabelsHoldTheAnswersAndNothingTheUserSaid(string name)
    {
        var conversations = Make(name, RealTokenizers.Get(name).ChatTemplate ?? ChatTemplate.ChatMl);
        var tokens = conversations.Tokenize(Conversation);
        for (var message = 0; message < Conversation.Length; message++)
        {
            var at = tokens.Text.IndexOf(Conversation[message].Content!, StringComparison.Ordinal);
            var inside = Enumerable.Range(0, tokens.Count)
                .Where(i => tokens.Offsets[i].Start >= at && tokens.Offsets[i].End <= at + Conversation[message].Content!.Length
                    && tokens.Offsets[i].Length > 0).ToList();
            Assert.NotEmpty(inside);
            Assert.All(inside, i => Assert.Equal(message % 2 == 1, tokens.LossMask[i]));
        }
        Assert.True(conversations.Tokenizer.EosId is null
            || new ExampleInspector(conversations.Tokenizer).Problems([tokens.Ids], tokens.LossMask).Count == 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Tokenize_EveryMessage_IsFoundAtItsTokens(string name)
    {
        var tokens = Make(name, ChatTemplate.ChatMl).Tokenize(Conversation);
        for (var message = 0; message < Conversation.Length; message++)
        {
            var at = tokens.Text.IndexOf(Conversation[message].Content!, StringComparison.Ordinal);
            var inside = Enumerable.Range(0, tokens.Count)
                .Where(i => tokens.Offsets[i].Start >= at && tokens.Offsets[i].End <= at + Conversation[message].Content!.Length
                    && tokens.Offsets[i].Length > 0);
            Assert.All(inside, i => Assert.Equal(message, tokens.MessageIndex[i]));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Tokenize_TemplateThatWritesBos_HasItOnce(string name)
    {
        var conversations = Make(name, BosTwice);
        if (conversations.Tokenizer.BosId is not null)
            Assert.InRange(BosCount(conversations.Tokenizer, conversations.Tokenize(Conversation).Ids), 0, 1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Tokenize_TemplateWithoutAnEnd_GetsOneLabelledEos(string name)
    {
        var conversations = Make(name, NoEnd);
        if (conversations.Tokenizer.EosId is not { } eos)
            return;
        var tokens = conversations.Tokenize(Conversation);
        Assert.Equal(eos, tokens.Ids[^1]);
        Assert.True(tokens.LossMask[^1]);
        Assert.NotEqual(eos, tokens.Ids[^2]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TokenizePair_BestProfile_IsTheWholeConversationPartedInTwo(string name)
    {
        foreach (var template in new[] { ChatTemplate.ChatMl, BosTwice, NoEnd })
        {
            var conversations = Make(name, template, LabelScope.Everything);
            Message[] prompt = Conversation[..3];
            var pair = conversations.Pairs.Tokenize(prompt, [Conversation[3]], [Say("assistant", "Green.")]);
            Assert.Equal(conversations.Tokenize(Conversation).Ids, Join(pair.Prompt, pair.Chosen));
            Assert.Equal(conversations.Tokenize([.. prompt, Say("assistant", "Green.")]).Ids, Join(pair.Prompt, pair.Rejected));
            Assert.NotEmpty(pair.Prompt);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TokenizePair_PlainTextsThatMergeAcrossTheBoundary_KeepTheTokenizationOfTheWhole(string name)
    {
        var conversations = Make(name);
        var tokenizer = conversations.Tokenizer;
        foreach (var (prompt, chosen, rejected) in new[] { ("The answer is", " forty", " four"), ("in a wor", "ld of", "k shop"),
            ("2+2=", "4", "44"), ("an old caf", "\u00e9", "e\u0301"), ("x \ud83d\ude00", "\ud83d\ude00", "!") })
        {
            var pair = conversations.Pairs.Tokenize(prompt, chosen, rejected);
            var whole = conversations.TokenizeText(prompt + chosen).Ids;
            // A prompt that melts into the answer whole, with no BOS before it, is the one exception.
            if (pair.Prompt.Length == 1 && pair.Prompt[0] != whole[0])
                continue;
            Assert.Equal(whole, Join(pair.Prompt, pair.Chosen));
            Assert.Equal(conversations.TokenizeText(prompt + rejected).Ids, Join(pair.Prompt, pair.Rejected));
            Assert.True(tokenizer.EosId is null || (pair.Chosen[^1] == tokenizer.EosId && pair.Rejected[^1] == tokenizer.EosId));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TokenizePair_Trl019_TokenizesApartAndAlwaysAppendsEos(string name)
    {
        var conversations = Make(name, BosTwice, profile: Profile.Trl019);
        var tokenizer = conversations.Tokenizer;
        var pair = conversations.Pairs.Tokenize("in a wor", "ld", "k");
        Assert.Equal(tokenizer.Encode("in a wor", addSpecialTokens: false).Ids, pair.Prompt);
        int[] eos = tokenizer.EosId is { } id ? [id] : [];
        Assert.Equal(Join(tokenizer.Encode("ld", addSpecialTokens: false).Ids, eos), pair.Chosen);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TokenizePair_V03_PutsTheAssistantsHeaderIntoTheAnswer(string name)
    {
        var best = Make(name, ChatTemplate.ChatMl).Pairs.Tokenize(Conversation[..3], [Conversation[3]], [Conversation[1]]);
        var old = Make(name, ChatTemplate.ChatMl, profile: Profile.V03);
        var pair = old.Pairs.Tokenize(Conversation[..3], [Conversation[3]], [Conversation[1]]);
        Assert.StartsWith("<|im_start|>assistant", old.Tokenizer.Decode(pair.Chosen, skipSpecialTokens: false).TrimStart(),
            StringComparison.Ordinal);
        Assert.True(pair.Prompt.Length < best.Prompt.Length + (old.Tokenizer.BosId is null ? 0 : 1));
        Assert.True(old.Tokenizer.BosId is not { } bos || pair.Prompt[0] == bos);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TokenizeText_Always_EndsWithOneEosAndLabelsEverything(string name)
    {
        var conversations = Make(name);
        if (conversations.Tokenizer.EosId is not { } eos)
            return;
        foreach (var text in new[] { "Once upon a time.", "Once upon a time." + conversations.Tokenizer.Settings.EosToken })
        {
            var tokens = conversations.TokenizeText(text);
            Assert.Equal(1, tokens.Ids.Reverse().TakeWhile(id => id == eos).Count());
            Assert.All(tokens.LossMask, Assert.True);
        }
    }

    [Fact]
    public void Prepare_InsertEmptySystemMessage_OnlyWhereTheTemplateKnowsOne()
    {
        const string Name = "made ChatML";
        var options = new ConversationOptions { InsertEmptySystemMessage = true };
        var knows = new ConversationTokenizer(RealTokenizers.Get(Name), ChatTemplate.ChatMl, options);
        Assert.Equal(["system", "user"], Prepared(knows, "user"));
        Assert.Equal(["system"], Prepared(knows, "system"));
        Assert.Equal(0, knows.Tokenize([Say("user", "a")]).MessageIndex.Max());
        var knowsNone = new ConversationTokenizer(RealTokenizers.Get(Name), NoEnd, options);
        Assert.Equal(["user"], Prepared(knowsNone, "user"));

        static IEnumerable<string> Prepared(ConversationTokenizer conversations, string role) =>
            conversations.Prepare([Say(role, "a")], conversations.Templates.For(null)).Select(message => message.Role);
    }

    [Fact]
    public void Tokenize_ExampleArguments_WinOverTheOptions()
    {
        const string Name = "made ChatML";
        var conversations = new ConversationTokenizer(RealTokenizers.Get(Name), "{{ a }}-{{ b }}-{{ tools|length }}",
            new ConversationOptions
        {
            Template = new ChatTemplateOptions { Arguments = new JsonObject { ["a"] = "x", ["b"] = "y" } },
        });
        Assert.Equal("x-z-1", conversations.Render([Say("user", "q")], tools: [1], arguments: new JsonObject { ["b"] = "z" }).Text);
    }

    [Fact]
    public void RequireLearnableEos_PaddingMaskedByTheSameId_IsRefusedWithTheRemedy()
    {
        var tokenizer = RealTokenizers.Get("made plain");
        LabelChecks.RequireLearnableEos(tokenizer, masksPaddingById: false);
        var error = Assert.Throws<UserErrorException>(() => LabelChecks.RequireLearnableEos(tokenizer, masksPaddingById: true));
        Assert.Contains("packing: true", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BrokenMarkers_ChatMlOnATokenizerWithoutIt_NamesBoth()
    {
        var tokenizer = RealTokenizers.Get("made plain");
        Assert.Equal(["<|im_end|>", "<|im_start|>"], LabelChecks.BrokenMarkers([new ChatTemplate(ChatTemplate.ChatMl)], tokenizer));
    }
}
