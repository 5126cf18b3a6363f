using Handbook.Data.Sources;

namespace Handbook.Data.Preparation;

/// <summary>How much there is to read of sources that are read whole, as far as that is known without reading them.</summary>
/// <param name="Examples">Rows, where files say how many they have; else null.</param>
/// <param name="Bytes">Bytes, where rows are about as long as they stand in files; else null.</param>
internal readonly record struct ReadingSize(long? Examples, long? Bytes)
{
    /// <summary>
    /// Parquet knows its rows; texts are read byte by byte; nobody knows what is compressed, or how much of a slice is where.
    /// </summary>
    public static ReadingSize Of(IReadOnlyList<RowSource> sources)
    {
        var files = sources.SelectMany(source => source.Files).ToList();
        if (files.TrueForAll(file => Ends(file, ".parquet")))
            return new ReadingSize(sources.Sum(source => source.Count()), null);
        var isPlain = sources.All(source => source.IsWhole)
            && files.TrueForAll(file => DataFile.WithoutCompression(file) == file && !Ends(file, ".parquet") && !Ends(file, ".arrow"));
        return new ReadingSize(null, isPlain ? files.Sum(file => new FileInfo(file).Length) : null);
    }

    private static bool Ends(string file, string ending) => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
