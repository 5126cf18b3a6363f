using System.CommandLine;
using System.Globalization;
using Handbook.Chat;
using Handbook.Templates;
using Handbook.Tokenizers;
using Handbook.Tokenizers.Training;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook tokenizer train</c>: a byte-level BPE tokenizer from text.</summary>
internal static class TokenizerCommand
{
    public static Command Create(Terminal terminal) => new HandbookCommand("tokenizer", "Train a tokenizer.") { Train(terminal) };

    private static HandbookCommand Train(Terminal terminal)
    {
        var texts = new Option<string[]>("--text")
        {
            Description = "Text or .jsonl files to learn from", Required = true, AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string>("--output") { Description = "Folder to write", Required = true };
        var size = new Option<int>("--vocab-size")
        {
            Description = "Tokens in all, special tokens and the 256 bytes included", DefaultValueFactory = _ => 4096,
        };
        var frequency = new Option<int>("--min-frequency")
        {
            Description = "Pairs seen less often are not merged", DefaultValueFactory = _ => 2,
        };
        var special = new Option<string[]>("--special-token")
        {
            Description = "Special tokens, which get the first ids", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [],
        };
        var bos = new Option<string?>("--bos") { Description = "Token that begins a text" };
        var eos = new Option<string?>("--eos") { Description = "Token that ends a text" };
        var pad = new Option<string?>("--pad") { Description = "Token that fills a batch" };
        var digits = new Option<bool>("--split-digits") { Description = "Each digit is a word of its own" };
        var template = new Option<string?>("--chat-template") { Description = "Jinja file that becomes the chat template" };
        var length = new Option<int?>("--model-max-length") { Description = "Longest sequence of the model to come, in tokens" };
        var overwrite = OverwriteOption.Create();
        var command = new HandbookCommand("train", "Train a byte-level BPE tokenizer and write it as a Hugging Face folder.",
            "handbook tokenizer train --text corpus.txt --vocab-size 4096 --eos '<|endoftext|>' --output tokenizer")
        {
            texts, output, size, frequency, special, bos, eos, pad, digits, template, length, overwrite,
        };
        command.SetAction(parsed =>
        {
            CheckOutput(parsed.GetValue(output)!, parsed.GetValue(overwrite));
            AtLeastOne("--min-frequency", parsed.GetValue(frequency));
            if (parsed.GetValue(length) is { } longest)
                AtLeastOne("--model-max-length", longest);
            if (parsed.GetValue(special)!.GroupBy(token => token, StringComparer.Ordinal)
                .FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new UserErrorException($"--special-token {twice.Key}: is given twice.");
            var settings = new TokenizerSettings
            {
                BosToken = parsed.GetValue(bos),
                EosToken = parsed.GetValue(eos),
                PadToken = parsed.GetValue(pad),
                ModelMaxLength = parsed.GetValue(length),
                ChatTemplate = parsed.GetValue(template) is { } file ? ReadTemplate(file) : null,
            };
            string?[] named = [settings.BosToken, settings.EosToken, settings.PadToken];
            var options = new BpeTrainerOptions
            {
                VocabSize = parsed.GetValue(size),
                MinFrequency = parsed.GetValue(frequency),
                SpecialTokens = [.. named.OfType<string>().Concat(parsed.GetValue(special)!).Distinct(StringComparer.Ordinal)],
                SplitDigits = parsed.GetValue(digits),
            };
            Run(options, settings, parsed.GetValue(texts)!, parsed.GetValue(output)!, terminal);
        });
        return command;
    }

    private static void Run(BpeTrainerOptions options, TokenizerSettings settings, string[] texts, string output, Terminal terminal)
    {
        var trainer = new BpeTrainer(options);
        foreach (var text in texts.SelectMany(CorpusFiles.Read))
            trainer.Feed(text);
        var tokenizer = trainer.Train(settings);
        tokenizer.Save(output);
        var fewer = tokenizer.VocabSize < options.VocabSize
            ? string.Create(CultureInfo.InvariantCulture, $" (of {options.VocabSize} asked for: no more pairs are frequent enough)") : "";
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{output}: {Quantity.Of(tokenizer.VocabSize, "token")}{fewer}"));
    }

    /// <summary>A folder with a model or a tokenizer in it is not written into by accident.</summary>
    private static void CheckOutput(string folder, bool overwrite)
    {
        OutputFile.CheckFolder("--output", folder);
        string[] taken = ["tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "chat_template.jinja", "config.json"];
        if (!overwrite && taken.FirstOrDefault(name => Path.Exists(Path.Combine(folder, name))) is { } there)
            throw new UserErrorException($"--output {folder}: {there} is there already; name another folder, or add --overwrite.");
    }

    private static void AtLeastOne(string option, int value)
    {
        if (value < 1)
            throw new UserErrorException(FormattableString.Invariant($"{option} {value}: must be at least 1."));
    }

    private static string ReadTemplate(string path)
    {
        try
        {
            var text = OrdinaryFile.ReadText(path);
            // Now, and not when the first conversation is rendered.
            _ = new ChatTemplate(text);
            return text;
        }
        catch (TemplateException fault)
        {
            throw new UserErrorException($"--chat-template {path}: {fault.Message}", fault);
        }
        catch (UserErrorException mistake)
        {
            throw new UserErrorException($"--chat-template: {mistake.Message}", mistake);
        }
    }
}
