using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>
/// The place of one store in the cache. Whoever gets the lock prepares into a folder beside it, which is renamed when it is
/// complete: other processes and ranks wait and then reuse it, and a killed one leaves nothing that could be taken for data.
/// </summary>
internal sealed class StoreFolder
{
    private readonly string root;

    public StoreFolder(string? cacheFolder, string key)
    {
        root = Path.Combine(CacheFolder.Root(cacheFolder), "data");
        Final = Path.Combine(root, key);
    }

    /// <summary>Where the complete store is.</summary>
    public string Final { get; }

    /// <summary>Runs <paramref name="prepare"/> unless the store is there; one process at a time.</summary>
    /// <returns>True when it was made now, false when it was there.</returns>
    public bool Ensure(Action<string> prepare, Action<string>? waits, CancellationToken cancellation)
    {
        if (StoreManifest.Exists(Final))
            return false;
        CreateRoot();
        using var held = FileLock.Take(Final + ".lock", cancellation, waits);
        if (StoreManifest.Exists(Final))
            return false;
        AtomicFolder.Remove(Final);
        AtomicFolder.Write(Final, prepare);
        return true;
    }

    private void CreateRoot()
    {
        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException(
                $"{root}: prepared data cannot be kept here ({e.Message}); set HANDBOOK_CACHE to a folder that can be written", e);
        }
    }
}
