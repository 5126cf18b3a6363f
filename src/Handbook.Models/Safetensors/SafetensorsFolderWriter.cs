using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Handbook.Models.Safetensors;

/// <summary>
/// Writes a model's weights as transformers does: one file up to a limit, else numbered files filled in the order of the tensors
/// and an index.
/// </summary>
public static class SafetensorsFolderWriter
{
    /// <summary>transformers' default size of one file: 5 GB, in bytes.</summary>
    public const long DefaultShardLimit = 5_000_000_000;

    /// <summary>Writes the weights into a folder that exists and removes weight files that no longer belong to it.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="tensors">The weights in the model's order, which decides what shares a file.</param>
    /// <param name="shardLimit">Most bytes of one file; a larger tensor has a file of its own.</param>
    /// <returns>Names of the files written.</returns>
    public static IReadOnlyList<string> Write(string folder, IReadOnlyList<NamedTensor> tensors, long shardLimit = DefaultShardLimit)
    {
        var shards = Split(tensors, shardLimit);
        var written = new List<string>();
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, SafetensorsFolder.SingleFile), shards[0]);
            written.Add(SafetensorsFolder.SingleFile);
        }
        else
        {
            for (var i = 0; i < shards.Count; i++)
            {
                var name = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
                SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
                written.Add(name);
            }
            AtomicFile.WriteText(Path.Combine(folder, SafetensorsFolder.IndexFile), Index(shards, written));
            written.Add(SafetensorsFolder.IndexFile);
        }
        RemoveOthers(folder, written);
        return written;
    }

    private static List<List<NamedTensor>> Split(IReadOnlyList<NamedTensor> tensors, long limit)
    {
        var shards = new List<List<NamedTensor>> { new() };
        var size = 0L;
        foreach (var tensor in tensors)
        {
            if (size + tensor.ByteCount > limit && shards[^1].Count > 0)
            {
                shards.Add([]);
                size = 0;
            }
            shards[^1].Add(tensor);
            size += tensor.ByteCount;
        }
        return shards;
    }

    private static string Index(List<List<NamedTensor>> shards, List<string> files)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer,
            new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_parameters", shards.SelectMany(shard => shard).Sum(tensor => tensor.Value.ElementCount));
            json.WriteNumber("total_size", shards.SelectMany(shard => shard).Sum(tensor => tensor.ByteCount));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            var rows = shards.SelectMany((shard, i) => shard.Select(tensor => (tensor.Name, File: files[i])));
            foreach (var (name, file) in rows.OrderBy(row => row.Name, StringComparer.Ordinal))
                json.WriteString(name, file);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void RemoveOthers(string folder, List<string> written)
    {
        var stale = Directory.GetFiles(folder, "model-*-of-*.safetensors")
            .Append(Path.Combine(folder, SafetensorsFolder.SingleFile))
            .Append(Path.Combine(folder, SafetensorsFolder.IndexFile));
        foreach (var path in stale)
        {
            if (!written.Contains(Path.GetFileName(path)))
                File.Delete(path);
        }
    }
}
