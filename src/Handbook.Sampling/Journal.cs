using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Sampling;

/// <summary>
/// What was made so far, one line a prompt, in the order of the prompts. Lines are added a block at a time and made durable before
/// the next block begins; whatever a killed process left half-written is cut away when the journal is opened again. So a run goes
/// on at a block's beginning, and ends with the bytes that it would have had without the kill.
/// </summary>
internal sealed class Journal : IDisposable
{
    /// <summary>The folder of journals inside an output folder.</summary>
    public const string FolderName = ".journal";

    private FileStream stream;
    private List<JsonObject> rows;

    private readonly FileLock held;

    private Journal(FileLock held, FileStream stream, List<JsonObject> rows) => (this.held, this.stream, this.rows) = (held, stream, rows);

    /// <summary>The prompts done, in their order.</summary>
    public IReadOnlyList<JsonObject> Rows => rows;

    /// <summary>Opens the journal of a piece of work; one under another key is left alone.</summary>
    /// <param name="outputFolder">The run's folder.</param>
    /// <param name="name">What the work is called.</param>
    /// <param name="key">What decides its result: only equal keys share what was made.</param>
    /// <param name="block">Prompts of a block.</param>
    /// <param name="total">Prompts in all; the last block may be shorter.</param>
    /// <exception cref="UserErrorException">Another process is at work in the folder.</exception>
    public static Journal Open(string outputFolder, string name, string key, int block, int total)
    {
        var folder = Path.Combine(outputFolder, FolderName);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{name}-{key[..16]}.jsonl");
        if (!FileLock.TryTake(path + ".lock", out var held, out var holder))
            throw new UserErrorException($"{outputFolder}: {holder} is at work in this folder.");
        try
        {
            return Open(held, path, block, total);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static Journal Open(FileLock held, string path, int block, int total)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var (rows, ends) = Read(bytes);
        var whole = rows.Count >= total ? total : rows.Count / block * block;
        rows.RemoveRange(whole, rows.Count - whole);
        stream.SetLength(whole == 0 ? 0 : ends[whole - 1]);
        stream.Seek(0, SeekOrigin.End);
        return new Journal(held, stream, rows);
    }

    /// <summary>A key over everything that decides a result.</summary>
    public static string Key(params IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
        {
            hash.AppendData(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(part)));
            hash.AppendData(Encoding.UTF8.GetBytes(part));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds a block of prompts and makes it durable.</summary>
    public void Append(IReadOnlyList<JsonObject> block)
    {
        using var buffer = new MemoryStream();
        foreach (var row in block)
            JsonLines.Write(buffer, row);
        stream.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
        stream.Flush(flushToDisk: true);
        rows.AddRange(block);
    }

    /// <summary>
    /// Puts others in the place of the rows that there are, all or none. The lock goes over to the new file before it takes the old
    /// one's name.
    /// </summary>
    public void Replace(IReadOnlyList<JsonObject> others)
    {
        var (path, next) = (stream.Name, stream.Name + ".next");
        var fresh = new FileStream(next, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        try
        {
            foreach (var row in others)
                JsonLines.Write(fresh, row);
            fresh.Flush(flushToDisk: true);
            File.Move(next, path, overwrite: true);
        }
        catch
        {
            fresh.Dispose();
            File.Delete(next);
            throw;
        }
        stream.Dispose();
        (stream, rows) = (fresh, [.. others]);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        stream.SetLength(0);
        stream.Flush(flushToDisk: true);
        rows.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stream.Dispose();
        held.Dispose();
    }

    /// <summary>The whole lines before the first that is not, and where each ends.</summary>
    private static (List<JsonObject> Rows, List<long> Ends) Read(byte[] bytes)
    {
        var (rows, ends) = (new List<JsonObject>(), new List<long>());
        for (var start = 0; Array.IndexOf(bytes, (byte)'\n', start) is >= 0 and var end; start = end + 1)
        {
            if (Parse(bytes.AsSpan(start, end - start)) is not { } row)
                break;
            rows.Add(row);
            ends.Add(end + 1);
        }
        return (rows, ends);
    }

    private static JsonObject? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
