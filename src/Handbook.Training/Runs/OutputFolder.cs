namespace Handbook.Training.Runs;

/// <summary>
/// The folder that a command writes to, held by it alone while it lives. A folder that was not there is taken away again when
/// nothing was written, so that a run which is refused leaves nothing behind.
/// </summary>
public sealed class OutputFolder : IDisposable
{
    private const string LockName = ".handbook.lock";

    private readonly string path;
    private readonly bool isNew;
    private readonly IDisposable held;

    private OutputFolder(string path, bool isNew, IDisposable held) => (this.path, this.isNew, this.held) = (path, isNew, held);

    /// <summary>
    /// Makes the folder, tries it, so that a run does not fail at its first save hours later, and keeps every other run out of it
    /// until it is disposed of.
    /// </summary>
    /// <exception cref="UserErrorException">It cannot be made or written, or another run is at work in it.</exception>
    public static OutputFolder Claim(string folder)
    {
        OutputFile.CheckFolder("output_dir:", folder);
        var isNew = !Directory.Exists(folder);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"output_dir: {folder}: cannot be written: {error.Message.TrimEnd('.')}.", error);
        }
        return FileLock.TryTake(Path.Combine(folder, LockName), out var held, out var holder)
            ? new OutputFolder(folder, isNew, held)
            : throw new UserErrorException(
                $"output_dir: {folder}: another run is at work in this folder: {holder}. Wait for its end, or name another output_dir.");
    }

    /// <summary>Refuses to write over files that were not written here.</summary>
    /// <param name="evidence">A name that stands in every folder in which this command has been at work.</param>
    /// <param name="names">Names that it writes.</param>
    /// <exception cref="UserErrorException">One of them is there, the evidence is not.</exception>
    public void RefuseStrangers(string evidence, params IEnumerable<string> names)
    {
        if (!Path.Exists(Path.Combine(path, evidence)) && names.FirstOrDefault(name => Path.Exists(Path.Combine(path, name))) is { } found)
            throw new UserErrorException(
                $"output_dir: {path} holds {found}, which this command did not write and would write over; name another output_dir.");
    }

    /// <summary>Lets others in.</summary>
    public void Dispose()
    {
        held.Dispose();
        if (isNew && Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            Directory.Delete(path);
    }
}
