using System.Text;
using System.Text.Json;
using Handbook.Text.Tokenizers.Files;

namespace Handbook.Text.Tokenizers;

/// <summary>The files of a tokenizer in a model folder.</summary>
internal static class TokenizerFolder
{
    /// <summary>The tokenizer itself.</summary>
    public const string TokenizerFile = "tokenizer.json";

    /// <summary>Its configuration.</summary>
    public const string ConfigFile = "tokenizer_config.json";

    /// <summary>Its special tokens, once more.</summary>
    public const string SpecialTokensFile = "special_tokens_map.json";

    /// <summary>Its default chat template.</summary>
    public const string ChatTemplateFile = "chat_template.jinja";

    /// <summary>The folder of named chat templates.</summary>
    public const string NamedTemplatesFolder = "additional_chat_templates";

    /// <summary>Reads a folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or wrong.</exception>
    public static Tokenizer Load(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: the tokenizer folder does not exist");
        var settings = SettingsReader.Read(folder);
        var path = Path.Combine(folder, TokenizerFile);
        if (!File.Exists(path))
            throw new UserErrorException($"{folder}: has no {TokenizerFile}");
        return LoadFile(path, settings);
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
        catch (JsonException exception)
        {
            throw new UserErrorException(
                $"{path}:{exception.LineNumber + 1}: is not valid JSON: {OneLine(exception.Message)}", exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserErrorException($"{path}: {OneLine(exception.Message)}", exception);
        }
    }

    /// <summary>A whole file without its byte order mark.</summary>
    public static byte[] ReadBytes(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
