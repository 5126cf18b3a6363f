namespace Handbook;

/// <summary>Folders that are there whole or not at all: written aside and renamed when they are complete.</summary>
public static class AtomicFolder
{
    /// <summary>Where a folder is made before it has its name.</summary>
    public static string Aside(string folder) => folder + AtomicFile.AsideSuffix;

    /// <summary>Makes a folder; a killed process leaves nothing under its name, and a failure nothing at all.</summary>
    /// <param name="folder">Its name, which must be free when the writer is done.</param>
    /// <param name="write">Writes its files into the folder that it is given.</param>
    public static void Write(string folder, Action<string> write)
    {
        var aside = Aside(folder);
        try
        {
            Remove(aside);
            Directory.CreateDirectory(aside);
            write(aside);
            Finish(aside, folder);
        }
        catch
        {
            TryRemove(aside);
            throw;
        }
    }

    /// <summary>Gives a folder that is complete its name, and makes that survive a power cut.</summary>
    public static void Finish(string aside, string folder)
    {
        Directory.Move(aside, folder);
        AtomicFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(folder))!);
    }

    /// <summary>Removes a folder with all that is in it, if it is there.</summary>
    public static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static void TryRemove(string folder)
    {
        try
        {
            Remove(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to tell; the next writer clears the folder away.
        }
    }
}
