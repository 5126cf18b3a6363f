namespace Handbook.Training.Runs;

/// <summary>The folder that a run writes to.</summary>
public static class OutputFolder
{
    /// <summary>
    /// Makes the folder and tries it, so that a run does not fail at its first save hours later; a folder that was not there is
    /// taken away again, so that a run which is refused leaves nothing behind.
    /// </summary>
    /// <exception cref="UserErrorException">It cannot be made or written.</exception>
    public static void CheckWritable(string folder)
    {
        var existed = Directory.Exists(folder);
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, ".handbook" + AtomicFile.AsideSuffix);
            File.WriteAllText(probe, "");
            File.Delete(probe);
            if (!existed)
                Directory.Delete(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"output_dir: {folder} cannot be written: {error.Message.TrimEnd('.')}.", error);
        }
    }
}
