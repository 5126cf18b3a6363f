namespace Handbook.Data.Sources;

/// <summary>The rows a recipe asked for: parts of splits, each of one or more files, read one after the other.</summary>
public sealed class RowSource
{
    private readonly List<(SplitSelection Selection, List<IRowFile> Files)> parts;
    private readonly Dictionary<IRowFile, long> counts = [];

    private RowSource(DatasetRequest request, string location, SourceOptions options, List<(SplitSelection, List<IRowFile>)> parts) =>
        (Request, Location, Options, this.parts) = (request, location, options, parts);

    /// <summary>What was asked for.</summary>
    public DatasetRequest Request { get; }

    /// <summary>The file or folder it was found at.</summary>
    public string Location { get; }

    /// <summary>How files become rows.</summary>
    public SourceOptions Options { get; }

    /// <summary>What was found beside these rows and left out, for the user.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Paths of the files, in order.</summary>
    public IEnumerable<string> Files => parts.SelectMany(part => part.Files).Select(file => file.Path);

    /// <summary>True when no split is sliced.</summary>
    public bool IsWhole => parts.TrueForAll(part => part.Selection.IsWhole);

    /// <summary>Finds a dataset and its split's files; reads no row yet.</summary>
    /// <exception cref="UserErrorException">There is no such dataset, configuration or split, or no file with a known ending.</exception>
    public static RowSource Open(DatasetRequest request, IReadOnlyList<IDatasetResolver> resolvers, SourceOptions options)
    {
        var location = Locate(request, resolvers);
        var folder = DatasetFolder.Open(location, request.Config);
        options = options with { Csv = folder.Csv ?? options.Csv };
        var parts = SplitSelection.Parse(request.Split)
            .Select(selection => (selection, folder.Files(selection.Split).Select(path => FileFormats.Open(path, options)).ToList()))
            .ToList();
        return new RowSource(request, location, options, parts) { Notes = folder.Notes };
    }

    /// <summary>As <see cref="Open"/>, but all rows of the dataset where it has no such split: a plain file has none but its own.</summary>
    /// <exception cref="UserErrorException">There is no such dataset or configuration, or no file with a known ending.</exception>
    public static RowSource OpenSplitOrAll(DatasetRequest request, IReadOnlyList<IDatasetResolver> resolvers, SourceOptions options) =>
        Open(HasSplits(request, resolvers)
            ? request
            : request with { Split = string.Join('+', DatasetFolder.Open(Locate(request, resolvers), request.Config).Splits) },
            resolvers, options);

    /// <summary>True when the dataset has every split that the request names.</summary>
    /// <exception cref="UserErrorException">There is no such dataset or configuration.</exception>
    public static bool HasSplits(DatasetRequest request, IReadOnlyList<IDatasetResolver> resolvers)
    {
        var folder = DatasetFolder.Open(Locate(request, resolvers), request.Config);
        return SplitSelection.Parse(request.Split).All(selection => folder.Has(selection.Split));
    }

    private static string Locate(DatasetRequest request, IReadOnlyList<IDatasetResolver> resolvers)
    {
        if (resolvers.Select(resolver => resolver.Find(request.Name, request.Revision))
            .FirstOrDefault(path => path is not null) is { } location)
            return location;
        var hint = resolvers.Select(resolver => resolver.Nearest(request.Name)).FirstOrDefault(near => near is not null) is { } near
            ? $" Did you mean {near}?" : "";
        throw new UserErrorException(
            $"dataset {request.Name}: not found; looked in {string.Join(" and ", resolvers.Select(resolver => resolver.Where))}.{hint}");
    }

    /// <summary>Number of rows; text formats are read through once to know it.</summary>
    public long Count() => parts.Sum(part =>
    {
        var (from, to) = part.Selection.Range(part.Files.Sum(CountOf));
        return to - from;
    });

    /// <summary>Rows in order, those whose index among these rows is wanted (null: all); broken ones with their problem.</summary>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted = null)
    {
        var firstOfPart = 0L;
        foreach (var (selection, files) in parts)
        {
            var (from, to) = selection.IsWhole ? (0, long.MaxValue) : selection.Range(files.Sum(CountOf));
            var (partBase, firstOfFile) = (firstOfPart, 0L);
            foreach (var file in files)
            {
                if (firstOfFile >= to)
                    break;
                var (fileBase, next) = (firstOfFile, firstOfFile);
                Predicate<long>? filter = selection.IsWhole && wanted is null ? null : index =>
                {
                    next = fileBase + index + 1;
                    return fileBase + index >= from && fileBase + index < to
                        && (wanted is null || wanted(partBase + fileBase + index - from));
                };
                foreach (var row in file.Read(filter))
                {
                    next = fileBase + row.Index + 1;
                    yield return row with { Index = partBase + fileBase + row.Index - from };
                }
                counts[file] = next - fileBase;
                firstOfFile = next;
            }
            firstOfPart += Math.Min(to, firstOfFile) - Math.Min(from, firstOfFile);
        }
    }

    private long CountOf(IRowFile file)
    {
        if (!counts.TryGetValue(file, out var count))
            counts[file] = count = file.Count();
        return count;
    }
}
