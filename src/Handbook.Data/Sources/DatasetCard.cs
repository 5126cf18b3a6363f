using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Handbook.Data.Sources;

/// <summary>The part of a dataset's README.md that says which files belong to which configuration and split.</summary>
internal static class DatasetCard
{
    /// <summary>One configuration.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="IsDefault">Marked as the default.</param>
    /// <param name="Folder">Folder of its files when no patterns are given, or null.</param>
    /// <param name="Patterns">Split and path pattern, in order.</param>
    public sealed record Configuration(string Name, bool IsDefault, string? Folder, IReadOnlyList<(string Split, string Pattern)> Patterns);

    /// <summary>The configurations of a folder's card; empty when there is no card or it names none.</summary>
    public static IReadOnlyList<Configuration> Configurations(string folder)
    {
        var card = Path.Combine(folder, "README.md");
        if (!File.Exists(card) || FrontMatter(card) is not { } text)
            return [];
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            return yaml.Documents is [{ RootNode: YamlMappingNode root }] && Child(root, "configs") is YamlSequenceNode configs
                ? [.. configs.Children.OfType<YamlMappingNode>().Select(Read)]
                : [];
        }
        catch (YamlException e)
        {
            throw new UserErrorException(FormattableString.Invariant($"{card}, line {e.Start.Line + 1}: the card's heading is not valid YAML: {e.Message}"), e);
        }
    }

    private static string? FrontMatter(string card)
    {
        var lines = File.ReadLines(card).GetEnumerator();
        if (!lines.MoveNext() || lines.Current.TrimEnd() != "---")
            return null;
        var text = new List<string>();
        while (lines.MoveNext())
        {
            if (lines.Current.TrimEnd() == "---")
                return string.Join('\n', text);
            text.Add(lines.Current);
        }
        return null;
    }

    private static Configuration Read(YamlMappingNode node)
    {
        var patterns = new List<(string, string)>();
        switch (Child(node, "data_files"))
        {
            case YamlScalarNode { Value: { } path }:
                patterns.Add(("train", path));
                break;
            case YamlSequenceNode list:
                foreach (var item in list.Children)
                {
                    if (item is YamlScalarNode { Value: { } single })
                        patterns.Add(("train", single));
                    else if (item is YamlMappingNode entry)
                        patterns.AddRange(Paths(Child(entry, "path")).Select(path => (Text(entry, "split") ?? "train", path)));
                }
                break;
        }
        return new Configuration(Text(node, "config_name") ?? "default", Text(node, "default") == "true", Text(node, "data_dir"), patterns);
    }

    private static IEnumerable<string> Paths(YamlNode? node) => node switch
    {
        YamlScalarNode { Value: { } path } => [path],
        YamlSequenceNode list => list.Children.OfType<YamlScalarNode>().Select(item => item.Value!),
        _ => [],
    };

    private static string? Text(YamlMappingNode node, string key) => (Child(node, key) as YamlScalarNode)?.Value;

    private static YamlNode? Child(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}
