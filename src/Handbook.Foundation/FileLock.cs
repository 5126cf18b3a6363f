namespace Handbook;

/// <summary>
/// One process at a time, by a file: the system lets go of it when its holder dies, and the empty file goes with the last
/// holder.
/// </summary>
public static class FileLock
{
    /// <summary>Waits for the lock; disposing lets go of it.</summary>
    /// <param name="path">The lock's file, in a folder that is there.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <param name="waits">Hears once that somebody else holds it.</param>
    /// <exception cref="OperationCanceledException">The waiting was ended.</exception>
    public static IDisposable Take(string path, CancellationToken cancellation, Action? waits = null)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException)
            {
                waits?.Invoke();
                waits = null;
                cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }
}
