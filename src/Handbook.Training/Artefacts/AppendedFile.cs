namespace Handbook.Training.Artefacts;

/// <summary>
/// A log that grows by whole records: each goes out in one write, and one that cannot be written whole (a full disk) is taken back,
/// so that what follows begins where a record begins.
/// </summary>
internal sealed class AppendedFile(string path, FileMode mode) : IDisposable
{
    // No buffer: a killed process leaves whole records, and at worst one cut at the end.
    private readonly FileStream stream = new(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);

    /// <summary>Full path of the file.</summary>
    public string FilePath => stream.Name;

    /// <summary>Adds a record.</summary>
    /// <exception cref="IOException">It cannot be written; the file is as before.</exception>
    public void Append(ReadOnlySpan<byte> record)
    {
        var end = stream.Position;
        try
        {
            stream.Write(record);
        }
        catch (IOException)
        {
            try
            {
                stream.SetLength(end);
                stream.Position = end;
            }
            catch (IOException) { }
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
