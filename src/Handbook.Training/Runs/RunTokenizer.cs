using Handbook.Text.Tokenizers;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>The tokenizer of a run: the model's or another, with the recipe's template and end-of-turn token.</summary>
public static class RunTokenizer
{
    /// <summary>Loads it.</summary>
    /// <exception cref="UserErrorException">The folder is broken, or <c>eos_token</c> is no token.</exception>
    public static Tokenizer Load(RunOptions options)
    {
        var folder = options.Tokenizer.NameOrPath ?? options.Model.NameOrPath
            ?? throw new UserErrorException("tokenizer_name_or_path: a new model (model_config) needs it.");
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{(options.Tokenizer.NameOrPath is null ? "model_name_or_path" : "tokenizer_name_or_path")}: {folder} is not a folder on this machine.");
        var tokenizer = Tokenizer.Load(folder);
        if (options.Tokenizer.EosToken is { } eos)
        {
            if (tokenizer.TokenToId(eos) is null)
                throw new UserErrorException($"eos_token: {eos} is not a token of {folder}; add it to the tokenizer first, or name one that it has.");
            tokenizer = tokenizer.WithSettings(tokenizer.Settings with { EosToken = eos });
        }
        return options.Tokenizer.ChatTemplate is { } template
            ? tokenizer.WithSettings(tokenizer.Settings with { ChatTemplate = template })
            : tokenizer;
    }
}
