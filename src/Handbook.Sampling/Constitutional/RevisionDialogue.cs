using Handbook.Chat;
using Handbook.Data.Examples;

namespace Handbook.Sampling.Constitutional;

/// <summary>
/// The dialogue of Constitutional AI with many prompts at once: the model answers, is asked to criticise its completion under a principle
/// drawn for the prompt, then to revise it. Each turn of all prompts is one batch.
/// </summary>
/// <param name="sampler">Who speaks.</param>
/// <param name="options">What is asked.</param>
internal sealed class RevisionDialogue(ISampler sampler, ConstitutionOptions options)
{
    /// <summary>Leads the dialogue to its end, or to where it can go no further.</summary>
    public async Task<IReadOnlyList<RevisedCompletion>> RunAsync(IReadOnlyList<PromptRow> prompts, Action finished, CancellationToken stop)
    {
        var talks = prompts.Select(prompt => new Talk(prompt, Words(prompt), options)).ToList();
        await SayAsync(talks, talk => talk.Question, finished, stop).ConfigureAwait(false);
        for (var round = 0; round < options.RevisionRounds; round++)
        {
            var number = round;
            await SayAsync(talks, talk => talk.Principle(number).Critic, finished, stop).ConfigureAwait(false);
            await SayAsync(talks, talk => talk.Principle(number).Revision, finished, stop).ConfigureAwait(false);
        }
        return [.. talks.Select(talk => talk.Result(options.RevisionRounds))];
    }

    private async Task SayAsync(IEnumerable<Talk> talks, Func<Talk, string> request, Action finished, CancellationToken stop)
    {
        var open = talks.Where(talk => talk.Refusal is null).ToList();
        var asked = open.Select(talk => talk.Ask(request(talk))).ToList();
        var said = await sampler.SampleAsync(asked, options.Settings with { Count = 1 }, finished, stop).ConfigureAwait(false);
        foreach (var (talk, completion) in open.Zip(said))
            talk.Hear(completion);
    }

    // The original takes the first thing that a person says, whatever the conversation was about afterwards.
    private static string Words(PromptRow prompt) =>
        (prompt.Turns.Text ?? prompt.Turns.Messages!.FirstOrDefault(message => message.Role == "user")?.Content ?? "").Trim();

    private sealed class Talk(PromptRow prompt, string question, ConstitutionOptions options)
    {
        private readonly List<Message> turns = [.. Opening(prompt, options)];
        private readonly List<string> completions = [];
        private readonly ulong seed = Seeds.Of((ulong)options.Seed, prompt.Index);
        private int truncated;

        public string Question => question;

        public string? Refusal { get; private set; }

        public Principle Principle(int round) => options.Constitution.Principles[Number(round)];

        public SamplePrompt Ask(string request)
        {
            turns.Add(new Message { Role = "user", Content = request });
            return new SamplePrompt(Turns.Of([.. turns]), Seeds.Of(seed, completions.Count));
        }

        public void Hear(SampledPrompt said)
        {
            Refusal = said.Refusal;
            if (Refusal is not null)
                return;
            completions.Add(said.Completions[0].Text);
            truncated += said.Completions[0].IsTruncated ? 1 : 0;
            turns.Add(new Message { Role = "assistant", Content = completions[^1] });
        }

        public RevisedCompletion Result(int rounds) => new(
            question, completions.FirstOrDefault() ?? "",
            [.. Enumerable.Range(0, rounds).Where(round => completions.Count > 2 * round + 2)
                .Select(round => new Revision(Number(round), completions[2 * round + 1], completions[2 * round + 2]))],
            truncated, Refusal);

        // Which principle, from a stream of its own: neither the order of prompts nor what was sampled before matters.
        private int Number(int round) => (int)(Seeds.Of(seed ^ 0x5052494E4349504CUL, round) % (ulong)options.Constitution.Principles.Count);

        private static IEnumerable<Message> Opening(PromptRow prompt, ConstitutionOptions options) =>
            (prompt.Turns.Messages ?? []).TakeWhile(message => message.Role == "system").Concat(options.Constitution.SystemChat);
    }
}
