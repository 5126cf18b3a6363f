using System.Text.Json;
using Handbook.TestSupport;

namespace Handbook.Data.Tests;

/// <summary>Reads the records of shared/golden/datasets, whatever files and cases are there.</summary>
internal static class GoldenRecords
{
    /// <summary>Every record of that kind with the file and line it stands in.</summary>
    public static IEnumerable<(string Name, JsonElement Record)> OfKind(string kind)
    {
        foreach (var file in SharedFolders.GoldenFiles("datasets", "*.jsonl"))
        {
            var line = 0;
            foreach (var text in File.ReadLines(file))
            {
                line++;
                var record = JsonDocument.Parse(text).RootElement;
                if (record.GetProperty("kind").GetString() == kind)
                    yield return ($"{Path.GetFileName(file)}:{line}", record);
            }
        }
    }

    /// <summary>Runs a check on each record of a kind; the default golden folder must have some.</summary>
    public static void Check(string kind, Action<string, JsonElement> check)
    {
        var count = 0;
        foreach (var (name, record) in OfKind(kind))
        {
            check(name, record);
            count++;
        }
        Assert.True(count > 0 || !SharedFolders.IsDefaultGolden, $"no golden record of kind {kind}");
    }

    /// <summary>The recorded numbers are the first ones, and their FNV-1a 64 (little-endian int64) covers all.</summary>
    public static void AssertSequence(string name, JsonElement record, string key, IReadOnlyList<long> actual)
    {
        var expected = record.GetProperty(key).EnumerateArray().Select(v => v.GetInt64()).ToArray();
        Assert.True(expected.SequenceEqual(actual.Take(expected.Length)), $"{name}: {key} differ");
        var hashKey = key == "values" || key == "indices" ? "fnv1a64" : key + "_fnv1a64";
        if (record.TryGetProperty(hashKey, out var hash))
            Assert.Equal(hash.GetString(), Fnv1A(actual));
        else
            Assert.Equal(expected.Length, actual.Count);
    }

    public static ulong Seed(JsonElement record) => record.GetProperty("seed").GetUInt64();

    public static long[] Wide(IEnumerable<int> values) => [.. values.Select(v => (long)v)];

    public static string Fnv1A(IReadOnlyList<long> values)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var value in values)
        {
            for (var shift = 0; shift < 64; shift += 8)
                hash = (hash ^ (byte)(value >> shift)) * 0x100000001b3UL;
        }
        return hash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
    }
}
