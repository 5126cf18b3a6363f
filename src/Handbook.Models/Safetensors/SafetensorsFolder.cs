using System.Text.Json;
using Handbook.Torch;

namespace Handbook.Models.Safetensors;

/// <summary>
/// The weights of a Hugging Face model folder: <c>model.safetensors</c>, or several files that
/// <c>model.safetensors.index.json</c> lists. Pickled weights are never read.
/// </summary>
public sealed class SafetensorsFolder : IDisposable
{
    internal const string SingleFile = "model.safetensors";
    internal const string IndexFile = "model.safetensors.index.json";

    private readonly Dictionary<string, SafetensorsFile> fileOf = [];
    private readonly List<SafetensorsFile> files = [];

    /// <summary>Opens the files of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="fileName">The file that holds all of them, where there are not several.</param>
    /// <exception cref="UserErrorException">No safetensors weights, a broken file, or an index that does not fit its files.</exception>
    public SafetensorsFolder(string folder, string fileName = SingleFile)
    {
        Folder = folder;
        try
        {
            var single = Path.Combine(folder, fileName);
            var index = Path.Combine(folder, IndexFile);
            if (File.Exists(single))
                Take(new SafetensorsFile(single));
            else if (File.Exists(index))
                OpenShards(index);
            else
                throw Missing(folder, fileName);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Names of all tensors, sorted.</summary>
    public IEnumerable<string> Names => fileOf.Keys.Order(StringComparer.Ordinal);

    /// <summary>True when the folder holds a tensor of this name.</summary>
    public bool Contains(string name) => fileOf.ContainsKey(name);

    /// <summary>What a header says about a tensor.</summary>
    public TensorEntry Entry(string name) => fileOf[name].Header.Tensors[name];

    /// <summary>The file that holds a tensor.</summary>
    public string FileOf(string name) => fileOf[name].Path;

    /// <summary>A tensor, in memory of its own if nothing else is asked for.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="room">Makes a row-major tensor of a shape to read into; null takes memory of its own.</param>
    public Tensor Get(string name, Func<long[], DType, Tensor>? room = null) => fileOf[name].Get(name, room);

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (var file in files)
            file.Dispose();
        files.Clear();
        fileOf.Clear();
    }

    private void Take(SafetensorsFile file)
    {
        files.Add(file);
        foreach (var name in file.Header.Tensors.Keys)
            fileOf.Add(name, file);
    }

    private void OpenShards(string index)
    {
        var shards = new Dictionary<string, SafetensorsFile>();
        foreach (var (name, fileName) in ReadIndex(index))
        {
            if (!shards.TryGetValue(fileName, out var file))
            {
                file = new SafetensorsFile(Path.Combine(Folder, fileName));
                shards.Add(fileName, file);
                files.Add(file);
            }
            if (!file.Header.Tensors.ContainsKey(name))
                throw new UserErrorException($"{index}: tensor {SafetensorsHeader.Quote(name)} should be in {fileName}, which does not "
                    + "have it.");
            fileOf.Add(name, file);
        }
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(
                OrdinaryFile.ReadBytes(path, OrdinaryFile.TableLimit),
                    new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            {
                throw new UserErrorException($"{path}: has no weight_map object.");
            }
            var files = new Dictionary<string, string>();
            foreach (var property in map.EnumerateObject())
            {
                var file = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : "";
                if (!IsPlainName(file))
                    throw new UserErrorException($"{path}: tensor {SafetensorsHeader.Quote(property.Name)} names the file "
                        + $"{SafetensorsHeader.Quote(file)}; a file name in the same folder that ends in .safetensors is expected.");
                files.Add(property.Name, file);
            }
            return files;
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{path}: {PlaceholderFile.Explain(path) ?? $"is not valid JSON: {BrokenJson.Explain(error)}."}",
                error);
        }
    }

    /// <summary>True for a name that cannot lead out of its folder on any system.</summary>
    private static bool IsPlainName(string file) =>
        file.EndsWith(".safetensors", StringComparison.Ordinal) && file.Length <= 255
        && file[0] != '.' && file.AsSpan().IndexOfAny("/\\:") < 0 && !file.Any(char.IsControl);

    private static UserErrorException Missing(string folder, string fileName)
    {
        if (!Directory.Exists(folder))
            return new UserErrorException($"{folder}: no such folder; a model folder with config.json and {SingleFile} is expected.");
        var pickled = Directory.GetFiles(folder, "*.bin").Concat(Directory.GetFiles(folder, "*.pt"))
            .Concat(Directory.GetFiles(folder, "*.pth"))
            .Select(Path.GetFileName).Order(StringComparer.Ordinal).FirstOrDefault();
        return pickled is null
            ? new UserErrorException($"{folder}: has no {(fileName == SingleFile ? $"{SingleFile} and no {IndexFile}" : fileName)}.")
            : new UserErrorException($"{folder}: has only pickled weights ({pickled}), which can run code when read and are refused. "
            + "Convert them once with save_pretrained(..., safe_serialization=True) of transformers.");
    }
}
