using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Handbook.Tokenizers.Files;
using Handbook.Tokenizers.SentencePiece;

namespace Handbook.Tokenizers;

/// <summary>The files of a tokenizer in a model folder.</summary>
internal static class TokenizerFolder
{
    /// <summary>The tokenizer itself.</summary>
    public const string TokenizerFile = "tokenizer.json";

    /// <summary>The tokenizer as SentencePiece has it.</summary>
    public const string SentencePieceFile = "tokenizer.model";

    /// <summary>Its configuration.</summary>
    public const string ConfigFile = "tokenizer_config.json";

    /// <summary>Its special tokens, once more.</summary>
    public const string SpecialTokensFile = "special_tokens_map.json";

    /// <summary>Its default chat template.</summary>
    public const string ChatTemplateFile = "chat_template.jinja";

    /// <summary>
    /// Most bytes of a file that is read whole: several times the largest published one, and what JSON makes of it fits memory.
    /// </summary>
    private const long MostBytes = 128L << 20;

    /// <summary>The folder of named chat templates.</summary>
    public const string NamedTemplatesFolder = "additional_chat_templates";

    /// <summary>True for a folder with a tokenizer.</summary>
    public static bool Is(string folder) =>
        new[] { TokenizerFile, SentencePieceFile, "vocab.json" }.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Reads a folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or wrong.</exception>
    public static Tokenizer Load(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: the tokenizer folder does not exist");
        var settings = SettingsReader.Read(folder);
        var (path, definition) = ReadDefinition(folder, ref settings);
        return Guard(path, () => new Tokenizer(ConfiguredTokenizer.Of(definition, settings), settings));
    }

    /// <summary>tokenizer.json, else tokenizer.model, else vocab.json with merges.txt.</summary>
    private static (string Path, TokenizerDefinition Definition) ReadDefinition(string folder, ref TokenizerSettings settings)
    {
        var (path, model, vocabulary, merges) = (Path.Combine(folder, TokenizerFile), Path.Combine(folder, SentencePieceFile),
            Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        if (File.Exists(path))
            return (path, Guard(path, () => TokenizerDefinition.Parse(ReadBytes(path))));
        if (File.Exists(model))
        {
            var pieces = Guard(model, () => SentencePieceModel.Parse(OrdinaryFile.ReadBytes(model, MostBytes)));
            var named = settings = pieces.Named(settings);
            return (model, Guard(model, () => TokenizerDefinition.Parse(SentencePieceConversion.Convert(pieces, named))));
        }
        if (File.Exists(vocabulary) && File.Exists(merges))
        {
            var given = settings;
            return (vocabulary,
                Guard(vocabulary,
                    () => TokenizerDefinition.Parse(VocabularyAndMerges.Convert(ReadBytes(vocabulary),
                        OrdinaryFile.ReadText(merges, MostBytes), given))));
        }
        throw new UserErrorException(
            $"{folder}: has no tokenizer: expected {TokenizerFile}, {SentencePieceFile}, or vocab.json with merges.txt");
    }

    /// <summary>Reads one tokenizer.json.</summary>
    /// <exception cref="UserErrorException">It is missing or wrong.</exception>
    public static Tokenizer LoadFile(string path, TokenizerSettings settings) =>
        Guard(path, () => new Tokenizer(TokenizerDefinition.Parse(ReadBytes(path)), settings));

    /// <summary>Turns what reading may throw into one line that names the file.</summary>
    public static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException && File.Exists(path)
            && PlaceholderFile.Explain(path) is not null)
        {
            throw new UserErrorException($"{path}: {PlaceholderFile.Explain(path)}", exception);
        }
        catch (JsonException exception)
        {
            throw new UserErrorException($"{path}: is not valid JSON: {BrokenJson.Explain(exception)}.", exception);
        }
        catch (InvalidOperationException exception) when (exception.Source?.StartsWith("System.Text.Json",
            StringComparison.Ordinal) == true)
        {
            // What the JSON reader says of escapes that are half a surrogate pair.
            throw new UserErrorException($"{path}: {BrokenJson.Explain(exception)}.", exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException
            or ArgumentException)
        {
            throw new UserErrorException($"{path}: {OneLine(exception.Message)}", exception);
        }
    }

    /// <summary>A whole UTF-8 file without its byte order mark.</summary>
    /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
    public static byte[] ReadBytes(string path)
    {
        var bytes = OrdinaryFile.ReadBytes(path, MostBytes);
        return Valid(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes);
    }

    private static byte[] Valid(byte[] bytes) => Utf8.IsValid(bytes) ? bytes : throw new InvalidDataException("is not UTF-8");

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
