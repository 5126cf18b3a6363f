namespace Handbook.Data.Sources;

/// <summary>What one row of a plain text file is.</summary>
public enum TextUnit
{
    /// <summary>The file, in parts of about a million characters that end at a paragraph; our default.</summary>
    Document,

    /// <summary>A paragraph: what stands between blank lines.</summary>
    Paragraph,

    /// <summary>A line, blank ones too, as the datasets library reads text files.</summary>
    Line,
}

/// <summary>How files become rows.</summary>
public sealed record SourceOptions
{
    /// <summary>What one row of a plain text file is.</summary>
    public TextUnit TextUnit { get; init; } = TextUnit.Document;

    /// <summary>Most bytes of one row; a longer one is a bad row and is never held in memory.</summary>
    public int MaxRowBytes { get; init; } = 64 << 20;

    /// <summary>Columns to keep, after renaming; null keeps all.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>New names of columns, by their names in the files.</summary>
    public IReadOnlyDictionary<string, string>? Rename { get; init; }

    /// <summary>How CSV files are laid out, where the dataset's card says so.</summary>
    public CsvDialect? Csv { get; init; }

    /// <summary>Which of a file's columns are kept.</summary>
    /// <exception cref="UserErrorException">None of the columns asked for is there.</exception>
    internal bool[] Kept(string path, IReadOnlyList<string> names)
    {
        var kept = names.Select(name => Columns is null || Columns.Contains(Rename?.GetValueOrDefault(name) ?? name)).ToArray();
        return Columns is null || kept.Contains(true) ? kept : throw new UserErrorException(
            $"{path}: none of the columns asked for ({string.Join(", ", Columns)}) is there; the file has {string.Join(", ", names)}");
    }
}
