using System.Globalization;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.Templates;
using Handbook.Torch;

namespace Handbook.Sampling;

/// <summary>Samples with a model on this machine: many prompts at once, each prompt read once for all its samples.</summary>
public sealed class LocalSampler : ISampler
{
    private readonly CausalLanguageModel model;
    private readonly ConversationTokenizer conversations;
    private readonly Generator generator;
    private readonly List<int> stopTokens;

    /// <summary>Loads a model.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="conversations">Its tokenizer and chat template.</param>
    /// <param name="dtype">Element type to compute in; null takes the stored one.</param>
    /// <param name="maxBatch">The most completions that grow at a time.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="note">Hears of what is worth a line.</param>
    /// <exception cref="UserErrorException">The folder is broken or not supported.</exception>
    public LocalSampler(string folder, ConversationTokenizer conversations, DType? dtype = null, int maxBatch = 32, Device device = default,
        Action<string>? note = null)
    {
        this.conversations = conversations;
        model = CausalLanguageModel.Load(folder, dtype, device);
        if (model.LeftBehind is { } leftBehind)
            note?.Invoke(leftBehind);
        generator = new Generator(model, new GeneratorOptions { MaxBatch = maxBatch });
        // Whatever special token comes first ends a completion: a base model ends texts, a tuned one ends turns.
        stopTokens =
        [
            .. conversations.Tokenizer.AddedTokens.Where(token => token.Value.Special).Select(token => token.Key).Union(model.StopTokenIds)
                .Order(),
        ];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<SampledPrompt>> SampleAsync(
        IReadOnlyList<SamplePrompt> prompts, SampleSettings settings, Action? finished = null, CancellationToken stop = default)
    {
        var tokens = new int[prompts.Count][];
        var sampled = new SampledPrompt[prompts.Count];
        var taken = new List<int>();
        foreach (var (i, prompt) in prompts.Index())
        {
            if (Refusal(prompt, out tokens[i]) is { } refusal)
                sampled[i] = new SampledPrompt([], refusal);
            else
                taken.Add(i);
        }
        var requests = taken.Select(i => new GenerationRequest
        {
            Prompt = tokens[i],
            MaxNewTokens = Math.Min(settings.MaxNewTokens, model.Config.MaxPositions - tokens[i].Length),
            Sampling = settings.Sampling with { Seed = prompts[i].Seed },
            SampleCount = settings.Count,
            StopTokens = stopTokens,
            StopStrings = settings.StopStrings,
            BeginText = () => conversations.Tokenizer.CreateStreamingDecoder(skipSpecialTokens: true).Append,
        }).ToList();
        var results = generator.Run(requests, _ => finished?.Invoke(), stop);
        foreach (var (number, i) in taken.Index())
            sampled[i] = new SampledPrompt(
                [.. results[number].Select(result => Completion(prompts[i].Turns, tokens[i], result, settings))]);
        return Task.FromResult<IReadOnlyList<SampledPrompt>>(sampled);
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    /// <summary>Why a prompt cannot be answered; null when it can, with its tokens.</summary>
    private string? Refusal(SamplePrompt prompt, out int[] tokens)
    {
        tokens = [];
        try
        {
            tokens = Tokenize(prompt);
        }
        catch (TemplateException error)
        {
            return error.Message;
        }
        return tokens.Length < model.Config.MaxPositions ? null : string.Create(CultureInfo.InvariantCulture,
            $"the prompt has {Quantity.Of(tokens.Length, "token")}, which leaves no room for an answer: the model has "
                + $"{Quantity.Of(model.Config.MaxPositions, "position")}");
    }

    /// <summary>The prompt as the model sees it, with the tokenizer's BOS once and, in the chat form,
    /// with what begins a completion.</summary>
    private int[] Tokenize(SamplePrompt prompt)
    {
        var text = prompt.Turns.Text
            ?? conversations.Render(prompt.Turns.Messages!, prompt.Template.Tools, prompt.Template.Arguments,
                addGenerationPrompt: true).Text;
        return conversations.TokenizeText(text, appendEos: false).Ids;
    }

    private SampledCompletion Completion(Turns turns, int[] prompt, GenerationResult result, SampleSettings settings)
    {
        var text = StopStrings.Cut(turns.Text is null ? Decode(result.Tokens) : Continuation(prompt, result.Tokens), settings.StopStrings);
        return new SampledCompletion(
            turns.Text is null ? text.Trim() : text, result.Reason == FinishReason.Length ? SampledCompletion.CutOff : "stop",
            result.Tokens.Count, result.TokenLogps.Sum());
    }

    /// <summary>What the completion adds to a plain text: a decoder may drop the space before a text's first word.</summary>
    private string Continuation(int[] prompt, IReadOnlyList<int> completion)
    {
        var (head, whole) = (Decode(prompt), Decode([.. prompt, .. completion]));
        return whole.StartsWith(head, StringComparison.Ordinal) ? whole[head.Length..] : Decode(completion);
    }

    private string Decode(IReadOnlyList<int> ids) => conversations.Tokenizer.Decode([.. ids], skipSpecialTokens: true);
}
