using System.Globalization;
using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>
/// The part of a dataset's README.md that says which files belong to which configuration and split, and how they are laid out.
/// </summary>
internal static partial class DatasetCard
{
    // What the datasets library takes but makes no difference to which rows there are, or is told by other means.
    private static readonly string[] Harmless =
    [
        "config_name", "default", "data_files", "data_dir", "description", "version", "drop_labels", "splits",
    ];

    private static readonly string[] Read = ["sep", "delimiter", "names", "column_names", "header"];

    // Keys that decide which rows there are or what they hold, and that are not obeyed: other rows than meant would be trained on.
    private static readonly string[] Refused =
    [
        "field", "encoding", "skiprows", "skipfooter", "nrows", "quotechar", "quoting", "escapechar", "comment",
        "lineterminator", "usecols",
        "index_col", "skipinitialspace", "dialect", "doublequote", "columns", "filters", "sample_by", "keep_linebreaks",
    ];

    /// <summary>One configuration.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="IsDefault">Marked as the default.</param>
    /// <param name="Folder">Folder that its files and patterns are below, from the dataset's own, or null.</param>
    /// <param name="Splits">The patterns of each split's files; null when names decide.</param>
    /// <param name="Csv">How CSV files are laid out, or null when nothing is said.</param>
    /// <param name="Notes">What it says beyond that without effect, in words.</param>
    public sealed record Configuration(
        string Name, bool IsDefault, string? Folder, IReadOnlyList<(string Split, IReadOnlyList<string> Patterns)>? Splits, CsvDialect? Csv,
        IReadOnlyList<string> Notes);

    /// <summary>The configurations of a folder's card; empty when there is no card or it names none.</summary>
    /// <exception cref="UserErrorException">The card is no text, no YAML, or its configurations have another form.</exception>
    public static IReadOnlyList<Configuration> Configurations(string folder)
    {
        var card = Path.Combine(folder, "README.md");
        if (!Path.Exists(card) || FrontMatter(card) is not { } yaml || CardNode.Read(yaml, card)?["configs"] is not { } configs)
            return [];
        if (configs.Items is null)
            throw Wrong(card, configs, "configs", "a list of configurations");
        return [.. configs.Items.Select(item => Understand(card, item))];
    }

    /// <summary>What stands between the first two lines of dashes, with the first left empty so that lines keep their numbers.</summary>
    private static string? FrontMatter(string card)
    {
        var lines = OrdinaryFile.ReadLines(card);
        if (lines.Count == 0 || lines[0].TrimEnd() != "---")
            return null;
        var end = lines.Skip(1).TakeWhile(line => line.TrimEnd() != "---").Count();
        return end + 1 < lines.Count ? "\n" + string.Join('\n', lines.Skip(1).Take(end)) : null;
    }

    private static Configuration Understand(string card, CardNode node)
    {
        if (node["config_name"]?.Text is not { Length: > 0 } name)
            throw Wrong(card, node, "config_name", "a name for each configuration");
        var keys = node.Members!.Select(member => member.Key).ToList();
        if (keys.Intersect(Refused).FirstOrDefault() is { } refused)
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"{card}, line {node[refused]?.Line ?? node.Line}: {refused} of configuration "
                    + $"{name} is not supported; prepare the files without it"));
        return new Configuration(
            name,
            node["default"]?.IsTrue == true,
            node["data_dir"] is { } folder ? folder.Text ?? throw Wrong(card, folder, "data_dir", "a folder") : null,
            node["data_files"] is { } files ? Splits(card, files) : null,
            Csv(card, node),
            [.. keys.Except([.. Harmless, .. Read]).Select(key => $"{card}: {key} of configuration {name} has no effect")]);
    }

    private static List<(string, IReadOnlyList<string>)> Splits(string card, CardNode files)
    {
        const string Expected = "a path, a list of paths, or a list of splits, each with split and path";
        if (files.Text is not null || files.Items?.TrueForAll(item => item.Text is not null) == true)
            return [("train", Texts(files)!)];
        var splits = new List<(string Split, IReadOnlyList<string>)>();
        foreach (var item in files.Items ?? throw Wrong(card, files, "data_files", Expected))
        {
            if (item["split"]?.Text is not { } split || !SplitName().IsMatch(split) || item["path"] is not { } path
                || Texts(path) is not { } paths)
                throw Wrong(card, item, "data_files", Expected);
            if (splits.Exists(known => known.Split == split))
                throw new UserErrorException(FormattableString.Invariant(
                    $"{card}, line {item.Line}: data_files gives the split {split} twice; list its paths under one"));
            splits.Add((split, paths));
        }
        return splits;
    }

    private static CsvDialect? Csv(string card, CardNode node)
    {
        var separator = node["delimiter"] ?? node["sep"];
        var names = node["column_names"] ?? node["names"];
        var header = node.Members!.FindLast(member => member.Key == "header").Value;
        if (separator is null && names is null && header is null)
            return null;
        var text = separator?.Text is "\\t" ? "\t" : separator?.Text;
        if (separator is not null && (text is not { Length: 1 } || text[0] is > '\x7F' or '"' or '\n' or '\r'))
            throw Wrong(card, separator, "sep", "one ASCII character");
        if (names is not null && names.Items?.TrueForAll(item => item.Text is not null) != true)
            throw Wrong(card, names, "names", "a list of column names");
        if (header is not null && !header.IsNull && header.Text is not ("0" or "infer"))
            throw Wrong(card, header, "header", "0, null or infer");
        return new CsvDialect(text?[0], names?.Items!.ConvertAll(item => item.Text!),
            header is null || header.Text == "infer" ? null : !header.IsNull);
    }

    private static List<string>? Texts(CardNode node) =>
        node.Text is { } text ? [text]
        : node.Items is { } items && items.TrueForAll(item => item.Text is not null) ? items.ConvertAll(item => item.Text!)
        : null;

    private static UserErrorException Wrong(string card, CardNode node, string key, string expected) =>
        new(FormattableString.Invariant($"{card}, line {node.Line}: {key} of a configuration: expected {expected}"));

    [GeneratedRegex(@"^\w+([.-]\w+)*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SplitName();
}
