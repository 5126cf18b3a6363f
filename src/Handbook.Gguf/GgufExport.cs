using Handbook.Gguf.Architectures;
using Handbook.Gguf.Format;
using Handbook.Gguf.Vocabularies;
using Handbook.Models;
using Handbook.Models.Configuration;
using Handbook.Models.Generation;
using Handbook.Tokenizers;

namespace Handbook.Gguf;

/// <summary>What was written.</summary>
/// <param name="Architecture">llama.cpp's name of the architecture.</param>
/// <param name="Tensors">Tensors by the name of their type.</param>
/// <param name="ByteCount">Length of the file.</param>
/// <param name="Modelfile">The file for Ollama beside it.</param>
/// <param name="Notes">What llama.cpp will do otherwise than the model's folder says.</param>
public sealed record GgufSummary(
    string Architecture, IReadOnlyDictionary<string, int> Tensors, long ByteCount, string Modelfile, IReadOnlyList<string> Notes);

/// <summary>
/// Writes a model folder as a GGUF file for llama.cpp and Ollama, with its tokenizer, special tokens and chat template. Weights are read,
/// packed and written one at a time, so that memory does not hold the model.
/// </summary>
public static class GgufExport
{
    /// <summary>Bytes near the beginning of every file that is written here.</summary>
    public static ReadOnlySpan<byte> Mark => "handbook.export"u8;

    /// <summary>Bytes near the beginning of every <c>Modelfile</c> that is written here.</summary>
    public static ReadOnlySpan<byte> ModelfileMark => System.Text.Encoding.UTF8.GetBytes(Modelfile.Mark);

    /// <summary>The <c>Modelfile</c> that goes with a GGUF file.</summary>
    public static string ModelfileOf(string output) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(output))!, Modelfile.Name);

    /// <summary>Writes the file and a <c>Modelfile</c> beside it, each whole or not at all.</summary>
    /// <param name="path">The model folder.</param>
    /// <param name="output">The file.</param>
    /// <param name="type">Type of most matrices.</param>
    /// <exception cref="UserErrorException">
    /// The folder is broken, has a classification head, or is a model or tokenizer that llama.cpp does not have.
    /// </exception>
    public static GgufSummary Run(string path, string output, FileType type)
    {
        using var folder = new ModelFolder(path);
        if (folder.Adapters.Count > 0)
            throw new UserErrorException($"{path}: holds an adapter; handbook merge makes a model of it and its base, which can be "
                + "exported.");
        var row = RowOf(folder);
        List<string> notes = folder.LeftBehind is { } leftBehind ? [leftBehind] : [];
        var defaults = GenerationDefaults.Read(path);
        var tokenizer = Tokenizer.IsIn(path) ? Tokenizer.Load(path) : null;
        var metadata = Metadata(row, folder, type, ModelName.Of(path, tokenizer));
        if (tokenizer is null)
        {
            Vocabulary.AddNone(metadata);
            notes.Add($"{path} has no tokenizer: llama.cpp will take and give token ids only");
        }
        else
        {
            Vocabulary.Add(metadata, new TokenizerFile(tokenizer, path), folder.Config, defaults, notes);
        }
        var tensors = new ModelTensors(row, folder, type).List();
        var limit = Limit(row, folder.Config, notes);
        GgufFile.Write(output, metadata, tensors);
        var stops = Stops(tokenizer, folder.Config, defaults);
        AtomicFile.WriteText(ModelfileOf(output), Modelfile.Text(Path.GetFileName(output), stops, defaults, limit));
        return Summary(row, tensors, output, notes);
    }

    /// <summary>What llama.cpp has of a folder's model.</summary>
    /// <exception cref="UserErrorException">It is a model that it does not have, or has weights that it cannot take.</exception>
    internal static GgufArchitecture RowOf(ModelFolder folder)
    {
        var configPath = Path.Combine(folder.Path, ConfigFile.Name);
        var row = GgufArchitectureTable.Find(folder.Config.ModelType, configPath);
        RefuseClassifier(folder, configPath);
        ArchitectureCheck.Run(row, folder.Config, configPath);
        if (folder.Config.Quantization is { } held)
            throw new UserErrorException($"{folder.Path}: the weights are in {held.Format.Name} codes; use the full-precision checkpoint.");
        return row;
    }

    /// <summary>Texts that end an answer.</summary>
    internal static IEnumerable<string> Stops(Tokenizer? tokenizer, ModelConfig config, GenerationDefaults defaults) =>
        tokenizer is null ? [] : Vocabulary.StopIds(tokenizer, config, defaults).Select(tokenizer.IdToToken).OfType<string>();

    internal static GgufSummary Summary(GgufArchitecture row, IReadOnlyList<GgufTensor> tensors, string output, IReadOnlyList<string> notes)
    {
        var counts = tensors.GroupBy(tensor => tensor.Type.Name).ToDictionary(group => group.Key, group => group.Count());
        return new GgufSummary(row.Name, counts, new FileInfo(output).Length, ModelfileOf(output), notes);
    }

    private static GgufMetadata Metadata(GgufArchitecture row, ModelFolder folder, FileType type, string? name)
    {
        var metadata = new GgufMetadata();
        metadata.Add("general.architecture", row.Name);
        metadata.Add("general.type", "model");
        metadata.Add("handbook.export", true);
        if (name is not null)
            metadata.Add("general.name", name);
        metadata.Add("general.file_type", type.Code);
        if (type.IsQuantized)
            metadata.Add("general.quantization_version", 2);
        Hyperparameters.Add(metadata, row, folder.Config);
        return metadata;
    }

    private static void RefuseClassifier(ModelFolder folder, string configPath)
    {
        var name = folder.Config.Source["architectures"]?.AsArray().FirstOrDefault()?.GetValue<string>();
        if (name == folder.Architecture.ClassificationClass || folder.HasScore)
            throw new UserErrorException($"{configPath}: {name ?? folder.Architecture.ClassificationClass} has a classification head; "
                + $"llama.cpp generates text, which takes a {folder.Architecture.CausalClass}.");
    }

    internal static int? Limit(GgufArchitecture row, ModelConfig config, List<string> notes)
    {
        if (Hyperparameters.Rotary(config)?.Scaling is RotaryScaling.Dynamic)
            notes.Add("llama.cpp has no dynamic rotary scaling: up to max_position_embeddings it is the same model");
        var limit = Hyperparameters.ContextLength(row, config);
        if (limit == config.MaxPositions)
            return null;
        notes.Add(FormattableString.Invariant(
            $"llama.cpp has no sliding window in {row.Name}: up to {limit} tokens, the context length written, it is the same model"));
        return limit;
    }
}
