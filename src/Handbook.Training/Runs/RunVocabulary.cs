using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Tokenizers;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>Whether tokenizer and model belong together, and what becomes of tokens that were added to the one.</summary>
public static class RunVocabulary
{
    /// <summary>The configuration alone.</summary>
    /// <exception cref="UserErrorException">It is missing, broken or not supported.</exception>
    public static ModelConfig Config(RunOptions options, Tokenizer tokenizer)
    {
        if (options.Model.Config is { } config)
            return ArchitectureTable.ReadConfig(Complete(config, tokenizer), "model_config");
        using var folder = new ModelFolder(options.Model.NameOrPath!);
        return folder.Config with { VocabularySize = folder.VocabularySize };
    }

    /// <summary>Added tokens may lie beyond the model's rows; a vocabulary that does was made for another model.</summary>
    internal static void Check(RunOptions options, Tokenizer tokenizer, int rows)
    {
        var added = tokenizer.AddedTokens.Count(token => token.Key >= rows);
        if (tokenizer.VocabSize - rows > added)
        {
            throw new UserErrorException(
                $"{options.Model.NameOrPath}: the tokenizer has {Quantity.Of(tokenizer.VocabSize, "token")}, the model's vocab_size is "
                + $"{rows}; only added tokens may lie beyond it, so the tokenizer belongs to another model.");
        }
        if (tokenizer.VocabSize > rows && options.Lora is { AdapterNameOrPath: null } lora && !TrainsTokens(lora, options, tokenizer))
            throw new UserErrorException($"use_peft: the tokenizer has {Quantity.Of(tokenizer.VocabSize, "token")}, the model's "
                + "vocab_size is "
                + $"{rows}, and an adapter trains no new rows; add the embedding (and a head of its own) to lora_modules_to_save.");
    }

    /// <summary>
    /// The padding token to write down. transformers reads a classifier's score before the first padding token and never moves its
    /// embedding: a token that ends completions must not be named.
    /// </summary>
    internal static int? PaddingId(Tokenizer tokenizer, TrainingMethod method)
    {
        if (tokenizer.PadId is { } pad && pad != tokenizer.EosId)
            return pad;
        return method.IsClassifier && tokenizer.Settings.UnkToken is { } unknown ? tokenizer.TokenToId(unknown) : null;
    }

    /// <summary>What a person is told when the embedding grows; null when it does not.</summary>
    internal static string? Growth(Tokenizer tokenizer, int rows)
    {
        if (tokenizer.VocabSize <= rows)
            return null;
        var added = tokenizer.AddedTokens.Where(token => token.Key >= rows).Take(4).Select(token => token.Value.Content);
        return $"added tokens {string.Join(", ", added)}: the embedding grows from {rows} to {tokenizer.VocabSize} rows, new ones begin as "
            + "the mean of the others";
    }

    /// <summary>The configuration of a new model with what the tokenizer knows.</summary>
    internal static JsonObject Complete(JsonObject config, Tokenizer tokenizer)
    {
        var complete = config.DeepClone().AsObject();
        complete["vocab_size"] ??= tokenizer.VocabSize;
        if (tokenizer.BosId is { } bos)
            complete["bos_token_id"] ??= bos;
        if (tokenizer.EosId is { } eos)
            complete["eos_token_id"] ??= eos;
        return complete;
    }

    private static bool TrainsTokens(LoraOptions lora, RunOptions options, Tokenizer tokenizer)
    {
        var embedding = ArchitectureTable.Rows[Config(options, tokenizer).ModelType].Names.Embedding;
        return ModulePattern.OfNames(lora.ModulesToSave).Matches(embedding);
    }
}
