using Handbook.Chat;
using Handbook.Data.Preparation;
using Handbook.Models.Adapters;
using Handbook.Tokenizers;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>The tokenizer of a run: the model's or another, with the recipe's template and end-of-turn token.</summary>
public static class RunTokenizer
{
    private const string TurnStart = "<|im_start|>";
    private const string TurnEnd = "<|im_end|>";

    /// <summary>What tells this run's tokenizer from others: its files, and the tokens that the run adds to them.</summary>
    public static string Fingerprint(RunOptions options, Tokenizer tokenizer) =>
        $"{TokenizerFingerprint.Of(options.Tokenizer.NameOrPath ?? FolderOf(options.Model.NameOrPath)!)} {tokenizer.VocabSize}";

    /// <summary>
    /// The folder of a model's tokenizer: an adapter's own, which knows tokens that were added, else that of what it was trained on.
    /// </summary>
    public static string? FolderOf(string? model)
    {
        if (model is null || Tokenizer.IsIn(model) || !AdapterFolder.Is(model))
            return model;
        var (below, adapters) = AdapterChain.Of(model);
        return adapters.Select(adapter => adapter.Path).Reverse().FirstOrDefault(Tokenizer.IsIn) ?? below;
    }

    /// <summary>Loads it.</summary>
    /// <exception cref="UserErrorException">The folder is broken, or <c>eos_token</c> is no token.</exception>
    public static Tokenizer Load(RunOptions options)
    {
        var folder = options.Tokenizer.NameOrPath ?? FolderOf(options.Model.NameOrPath)
            ?? throw new UserErrorException("tokenizer_name_or_path: a new model (model_config) needs it.");
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{(options.Tokenizer.NameOrPath is null ? "model_name_or_path" : "tokenizer_name_or_path")}: "
                + $"{folder} is not a folder on this machine.");
        var tokenizer = WithChatMl(folder, Tokenizer.Load(folder), options);
        if (options.Tokenizer.EosToken is { } eos)
        {
            if (tokenizer.TokenToId(eos) is null)
                throw new UserErrorException(
                    $"eos_token: {eos} is not a token of {folder}; add it to the tokenizer first, or name one that it has.");
            tokenizer = tokenizer.WithSettings(tokenizer.Settings with { EosToken = eos });
        }
        return options.Tokenizer.ChatTemplate is { } template
            ? tokenizer.WithSettings(tokenizer.Settings with { ChatTemplate = ChatTemplates.TextOf(tokenizer.Settings, template) })
            : tokenizer;
    }

    /// <summary>
    /// A ChatML template writes markers that a base model's tokenizer would cut into pieces. As the original's setup_chat_format, SFT
    /// and ORPO make tokens of them, and the second one the end of a turn; profile trl-0.19 lost that.
    /// </summary>
    private static Tokenizer WithChatMl(string folder, Tokenizer tokenizer, RunOptions options)
    {
        var templates = Templates(folder, tokenizer, options);
        var isWanted = TrainingMethod.Of(options.Task).AddsTurnTokens && options.Profile != Profile.Trl019
            && templates.All.Any(template => template.Source.Contains(TurnStart, StringComparison.Ordinal));
        if (!isWanted || (tokenizer.TokenToId(TurnStart) is not null && tokenizer.TokenToId(TurnEnd) is not null))
            return tokenizer;
        var grown = tokenizer.WithAddedTokens([new AddedToken(TurnStart) { Special = true }, new AddedToken(TurnEnd) { Special = true }]);
        return grown.WithSettings(grown.Settings with { EosToken = TurnEnd });
    }

    private static ChatTemplates Templates(string folder, Tokenizer tokenizer, RunOptions options)
    {
        try
        {
            return new ChatTemplates(tokenizer.Settings,
                options.Tokenizer.ChatTemplate ?? (tokenizer.Settings.HasChatTemplate ? null : ""));
        }
        catch (UserErrorException fault) when (options.Tokenizer.ChatTemplate is null)
        {
            throw new UserErrorException($"{folder}: {fault.Message}", fault);
        }
    }
}
