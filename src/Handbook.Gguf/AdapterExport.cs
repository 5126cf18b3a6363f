using Handbook.Gguf.Adapters;
using Handbook.Gguf.Architectures;
using Handbook.Gguf.Format;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.Tokenizers;
using Handbook.Torch;

namespace Handbook.Gguf;

/// <summary>
/// Writes an adapter's folder as an adapter file of llama.cpp, which is put around the base's GGUF file when that is loaded, and can be
/// changed for another without loading it again. A chain of adapters becomes one.
/// </summary>
public static class AdapterExport
{
    /// <summary>Writes the file and a <c>Modelfile</c> beside it, each whole or not at all.</summary>
    /// <param name="path">The adapter's folder; its base must be on this machine.</param>
    /// <param name="output">The file.</param>
    /// <param name="type">Type of all elements, one that is not packed.</param>
    /// <exception cref="UserErrorException">
    /// The folder is broken, its base is another or one that llama.cpp does not have, or the adapter has more than low-rank pairs.
    /// </exception>
    public static GgufSummary Run(string path, string output, FileType type)
    {
        if (type.IsQuantized)
            throw new UserErrorException($"--type {type.Name}: an adapter's matrices are narrow and few, and are not packed; "
                + "f32, f16, bf16 are its types.");
        using var folder = new ModelFolder(path);
        var row = GgufExport.RowOf(folder);
        foreach (var adapter in folder.Adapters)
            AdapterCheck.Settings(adapter);
        // Shapes without elements: what does not fit is said before anything is written, and nothing of the base is in memory.
        using var model = CausalLanguageModel.Load(path, DType.Float32, Device.Meta);
        foreach (var (place, adapter) in folder.Adapters.Zip(model.Adapters))
            AdapterCheck.Weights(place, adapter, model, folder.Names.Embedding + ".weight");
        using var pairs = new AdapterTensors(row, folder, model);
        var tensors = pairs.List(type.Most);
        var own = Tokenizer.IsIn(path) ? Tokenizer.Load(path) : null;
        var notes = new List<string>();
        var file = BaseFile(folder, output, notes);
        NoteTemplate(path, folder, own, notes);
        GgufFile.Write(output, Metadata(row, path, type, pairs.Alpha), tensors);
        var (words, told) = own is null ? (folder.Path, Tokenizer.IsIn(folder.Path) ? Tokenizer.Load(folder.Path) : null) : (path, own);
        var defaults = GenerationDefaults.Read(words);
        AtomicFile.WriteText(GgufExport.ModelfileOf(output), Modelfile.Text(file, GgufExport.Stops(told, folder.Config, defaults), defaults,
            GgufExport.Limit(row, folder.Config, notes), Path.GetFileName(output)));
        return GgufExport.Summary(row, tensors, output, notes);
    }

    private static GgufMetadata Metadata(GgufArchitecture row, string path, FileType type, double alpha)
    {
        var metadata = new GgufMetadata();
        metadata.Add("general.architecture", row.Name);
        metadata.Add("general.type", "adapter");
        metadata.Add("handbook.export", true);
        if (ModelName.Of(path, null) is { } name)
            metadata.Add("general.name", name);
        metadata.Add("general.file_type", type.Code);
        metadata.Add("adapter.type", "lora");
        metadata.Add("adapter.lora.alpha", alpha);
        return metadata;
    }

    /// <summary>Where the base's file is expected: beside the adapter's, under the name of the base's folder.</summary>
    private static string BaseFile(ModelFolder folder, string output, List<string> notes)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))) + ".gguf";
        var place = Path.Combine(Path.GetDirectoryName(output) ?? "", name);
        notes.Add(File.Exists(place) ? $"llama.cpp needs the base's file beside it: {place}, which is there"
            : $"llama.cpp needs the base's file beside it: first handbook export gguf {folder.Path} --output {place}, then this once more");
        if (folder.Adapters.Any(adapter => adapter.Lineage?.Quantization is not null))
            notes.Add("it was trained around a base in few bits, which is not the base of any other type; handbook merge takes the base "
                + "as it was in training");
        return name;
    }

    private static void NoteTemplate(string path, ModelFolder folder, Tokenizer? own, List<string> notes)
    {
        if (own?.ChatTemplate is { } template
            && (!Tokenizer.IsIn(folder.Path) || Tokenizer.Load(folder.Path).ChatTemplate != template))
            notes.Add($"{path} has another chat template than {folder.Path}, and llama.cpp reads the one in the base's file: name this one "
                + "(--chat-template-file), or handbook merge first");
    }
}
