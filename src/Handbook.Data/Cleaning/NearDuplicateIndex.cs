namespace Handbook.Data.Cleaning;

/// <summary>
/// Finds the first kept signature that is near enough: signatures are cut into bands, and only those with an equal band are
/// compared (locality-sensitive hashing). The bands are as many as the threshold needs for a miss to be unlikely.
/// </summary>
internal sealed class NearDuplicateIndex
{
    private readonly double threshold;
    private readonly int rowsPerBand;
    private readonly int bands;
    private readonly Dictionary<ulong, List<int>> buckets = [];
    private readonly List<uint[]> kept = [];
    private readonly List<int> names = [];

    public NearDuplicateIndex(NearDuplicateOptions options)
    {
        threshold = options.Threshold;
        rowsPerBand = 1;
        // A pair exactly at the threshold shares a band with probability 1 - (1 - t^r)^b: the longest bands that keep it above 0.95.
        while (rowsPerBand < options.Permutations && Chance(rowsPerBand + 1, options.Permutations) > 0.95)
            rowsPerBand++;
        bands = options.Permutations / rowsPerBand;
    }

    /// <summary>The kept example that this one is near to; when there is none, keeps it and returns -1.</summary>
    public int FindOrKeep(uint[] signature, int name)
    {
        var keys = new ulong[bands];
        for (var band = 0; band < bands; band++)
            keys[band] = Key(signature, band);
        var candidates = keys.SelectMany(key => buckets.TryGetValue(key, out var members) ? members : []).Distinct().Order();
        foreach (var candidate in candidates)
        {
            if (MinHash.Similarity(kept[candidate], signature) >= threshold)
                return names[candidate];
        }
        foreach (var key in keys)
        {
            if (!buckets.TryGetValue(key, out var members))
                buckets[key] = members = new List<int>(1);
            members.Add(kept.Count);
        }
        kept.Add(signature);
        names.Add(name);
        return -1;
    }

    private double Chance(int rows, int permutations) => 1 - Math.Pow(1 - Math.Pow(threshold, rows), permutations / rows);

    private ulong Key(uint[] signature, int band)
    {
        var hash = 0xcbf29ce484222325UL ^ (ulong)band;
        for (var i = band * rowsPerBand; i < (band + 1) * rowsPerBand; i++)
            hash = (hash ^ signature[i]) * 0x100000001b3;
        return hash;
    }
}
