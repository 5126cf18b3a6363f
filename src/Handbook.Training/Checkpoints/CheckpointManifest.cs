using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Checkpoints;

/// <summary>A file of a checkpoint as it was when the save finished.</summary>
/// <param name="Path">Path below the checkpoint's folder, with forward slashes.</param>
/// <param name="Size">Length in bytes.</param>
/// <param name="Sha256">Hash in lower-case hexadecimal digits.</param>
public sealed record CheckpointFile(string Path, long Size, string Sha256);

/// <summary>
/// The list of a checkpoint's files with sizes and hashes. It is written last: a folder whose manifest agrees with its files is
/// whole, and nothing else is.
/// </summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Files">Every file except the manifest itself, ordered by path.</param>
public sealed record CheckpointManifest(int Step, IReadOnlyList<CheckpointFile> Files)
{
    /// <summary>The manifest's name inside a checkpoint.</summary>
    public const string FileName = "checkpoint_manifest.json";

    private const int FormatVersion = 1;

    /// <summary>Hashes what lies in <paramref name="folder"/>, makes every file and folder durable, and writes the manifest.</summary>
    internal static CheckpointManifest Seal(string folder, int step)
    {
        var files = new List<CheckpointFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            var hash = Convert.ToHexStringLower(SHA256.HashData(stream));
            stream.Flush(flushToDisk: true);
            files.Add(new CheckpointFile(Path.GetRelativePath(folder, path).Replace('\\', '/'), stream.Length, hash));
        }
        foreach (var subfolder in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
            AtomicFile.FlushFolder(subfolder);
        var manifest = new CheckpointManifest(step, [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)]);
        AtomicFile.WriteText(Path.Combine(folder, FileName), manifest.ToJson());
        return manifest;
    }

    /// <summary>Why <paramref name="folder"/> is not a whole checkpoint of <paramref name="step"/>; null when it is one.</summary>
    public static string? FindFault(string folder, int step)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return $"{FileName} is missing: the save did not finish, or another program wrote the folder";
        CheckpointManifest manifest;
        try
        {
            manifest = FromJson(OrdinaryFile.ReadText(path));
        }
        catch (Exception error) when (error is UserErrorException || BrokenJson.Caused(error))
        {
            return $"{FileName} cannot be read: {(error is UserErrorException ? FirstLine(error.Message) : BrokenJson.Explain(error))}";
        }
        if (manifest.Step != step)
            return $"{FileName} is of step {manifest.Step}, the folder's name says {step}";
        return manifest.Files.Select(file => FindFault(folder, file)).FirstOrDefault(fault => fault is not null);
    }

    private static string? FindFault(string folder, CheckpointFile file)
    {
        var path = Path.GetFullPath(Path.Combine(folder, file.Path));
        if (!path.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            return $"{FileName} names {file.Path}, which lies outside the folder";
        var info = new FileInfo(path);
        if (!info.Exists)
            return $"{file.Path} is missing";
        if (info.Length != file.Size)
            return $"{file.Path} has {info.Length} bytes, the manifest says {file.Size}";
        try
        {
            using var stream = OrdinaryFile.Open(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream)) == file.Sha256
                ? null
                : $"{file.Path} is damaged: its SHA-256 differs from the manifest's";
        }
        catch (Exception error) when (error is IOException or UserErrorException)
        {
            return $"{file.Path} cannot be read: {FirstLine(error.Message)}";
        }
    }

    private string ToJson()
    {
        var files = new JsonArray();
        foreach (var file in Files)
            files.Add((JsonNode)new JsonObject { ["path"] = file.Path, ["size"] = file.Size, ["sha256"] = file.Sha256 });
        var root = new JsonObject { ["format_version"] = FormatVersion, ["step"] = Step, ["files"] = files };
        return PythonJson.Write(root, indent: 2, sortKeys: false);
    }

    private static CheckpointManifest FromJson(string text)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("files", out var list)
            || !root.TryGetProperty("step", out var step))
            throw new FormatException("it has no step or no files");
        if (root.TryGetProperty("format_version", out var version) && version.GetInt32() > FormatVersion)
            throw new FormatException($"its format version is {version.GetInt32()}, this program knows {FormatVersion}");
        var files = list.EnumerateArray().Select(file => new CheckpointFile(
            Text(file, "path"), file.TryGetProperty("size", out var size) ? size.GetInt64() : -1, Text(file, "sha256")));
        return new CheckpointManifest(step.GetInt32(), [.. files]);
    }

    private static string Text(JsonElement file, string name) =>
        file.TryGetProperty(name, out var value) && value.GetString() is { } text && !text.Contains('\0', StringComparison.Ordinal)
            ? text
            : throw new FormatException($"a file has no {name}");

    private static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd();
}
