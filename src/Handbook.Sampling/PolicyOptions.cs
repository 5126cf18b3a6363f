using Handbook.Chat;
using Handbook.Sampling.Endpoints;
using Handbook.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Sampling;

/// <summary>Who completes prompts: a model folder, or a model behind an endpoint; exactly one of the two.</summary>
public sealed record PolicyOptions
{
    /// <summary>The model's folder.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>The endpoint.</summary>
    public EndpointOptions? Endpoint { get; init; }

    /// <summary>Tokenizer and chat template of the folder.</summary>
    public TokenizerOptions Tokenizer { get; init; } = new();

    /// <summary>Element type to compute in; null takes the stored one.</summary>
    public DType? DType { get; init; }

    /// <summary>Where a model computes: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The most completions that grow at a time on this machine.</summary>
    public int MaxBatch { get; init; } = 32;

    /// <summary>Settings by their recipe names that a model's <c>generation_config.json</c> may give.</summary>
    public static IReadOnlyList<string> ModelSettings { get; } =
    [
        "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "stop_strings",
    ];

    /// <summary>
    /// Settings by their recipe names that are left to the model's <c>generation_config.json</c>, since the recipe does not give them.
    /// </summary>
    public IReadOnlyList<string> LeftToModel { get; init; } = [];

    /// <summary>The name for reports.</summary>
    public string Name => Endpoint is { } endpoint ? $"{endpoint.Model} at {endpoint.DisplayUrl}" : ModelFolder!;

    /// <summary>Says what is wrong with the folder, or the endpoint's key, before anything is asked.</summary>
    /// <exception cref="UserErrorException">It is no policy, or cannot complete prompts;
    /// the message names the command that was meant.</exception>
    public void Check()
    {
        if (Endpoint is { } endpoint)
        {
            endpoint.ReadKey();
            return;
        }
        ModelRoles.CheckPolicy(ModelFolder!);
        Conversations(TokenizerFolder, Tokenizer);
    }

    private string TokenizerFolder => Tokenizer.NameOrPath ?? RunTokenizer.FolderOf(ModelFolder)!;

    /// <summary>What decides its completions, as one line: completions that were kept are used again only under the same one.</summary>
    /// <exception cref="UserErrorException">The folder is not there.</exception>
    public string Identity() => Endpoint?.Identity
        ?? $"model {ModelIdentity.Of(ModelFolder!, TokenizerFolder)} {DType?.ToString() ?? "stored"} {Tokenizer.EosToken} "
            + $"{Tokenizer.AutoInsertEmptySystemMessage} {Tokenizer.ChatTemplate}";

    /// <summary>Gets ready to sample.</summary>
    /// <param name="clock">Times and waits.</param>
    /// <param name="note">Hears of what is worth a line.</param>
    /// <exception cref="UserErrorException">The folder is broken or not supported, or the endpoint's key is missing.</exception>
    public ISampler Open(TimeProvider clock, Action<string>? note = null) => Endpoint is { } endpoint
        ? ChatClientSampler.Open(endpoint, clock, note)
        : new LocalSampler(ModelFolder!, Conversations(TokenizerFolder, Tokenizer), DType, MaxBatch, DeviceChoice.Of(Device).Device, note);

    /// <summary>A tokenizer with its chat template, for answering.</summary>
    /// <exception cref="UserErrorException">The folder is broken, or <c>eos_token</c> is no token.</exception>
    internal static ConversationTokenizer Conversations(string folder, TokenizerOptions options)
    {
        var tokenizer = Tokenizers.Tokenizer.Load(folder);
        if (options.EosToken is { } eos)
        {
            tokenizer = tokenizer.TokenToId(eos) is not null
                ? tokenizer.WithSettings(tokenizer.Settings with { EosToken = eos })
                : throw new UserErrorException($"eos_token: {eos} is not a token of {folder}.");
        }
        return new ConversationTokenizer(tokenizer, options.ChatTemplate, new ConversationOptions
        {
            InsertEmptySystemMessage = options.AutoInsertEmptySystemMessage ?? false,
        });
    }
}
