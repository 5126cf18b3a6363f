using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Data.Cleaning;

namespace Handbook.Data.Store;

/// <summary>A source of a store.</summary>
/// <param name="Name">Dataset, configuration and split, as asked for.</param>
/// <param name="Shape">What its rows were recognised as.</param>
/// <param name="Files">Its files, and whether their rows are counted in lines.</param>
/// <param name="Examples">Examples taken from it.</param>
/// <param name="Tokens">Tokens of those.</param>
public sealed record StoreSource(string Name, string Shape, IReadOnlyList<(string Path, bool IsLine)> Files, int Examples, long Tokens);

/// <summary>
/// What <c>store.json</c> says: what a store holds and how it came about. It is written last: a folder without it is no store.
/// </summary>
public sealed record StoreManifest
{
    /// <summary>Changes whenever files of another version would be misread.</summary>
    public const int FormatVersion = 7;
    private const string FileName = "store.json";

    /// <summary>Hash of all that decides the content.</summary>
    public required string Key { get; init; }

    /// <summary>Hash of the content.</summary>
    public required string ContentHash { get; init; }

    /// <summary>What the examples are.</summary>
    public required StoreKind Kind { get; init; }

    /// <summary>The training set.</summary>
    public required SetSummary Train { get; init; }

    /// <summary>The evaluation set, or null.</summary>
    public SetSummary? Evaluation { get; init; }

    /// <summary>The sources, in order.</summary>
    public required IReadOnlyList<StoreSource> Sources { get; init; }

    /// <summary>The largest token id: a model needs an embedding for it.</summary>
    public int LargestTokenId { get; init; } = -1;

    /// <summary>Where the first example with that token stands.</summary>
    public string LargestTokenIdExample { get; init; } = "";

    /// <summary>Bad rows left out (<c>on_bad_row: skip</c>).</summary>
    public int BadRows { get; init; }

    /// <summary>The first few bad rows, as their messages.</summary>
    public IReadOnlyList<string> BadRowExamples { get; init; } = [];

    /// <summary>What cleaning removed, by rule.</summary>
    public IReadOnlyList<CleaningCount> Cleaning { get; init; } = [];

    /// <summary>What is to be said about how the data was made: mixing, cleaning, truncation.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Bytes of every other file, to notice one cut short.</summary>
    public required IReadOnlyDictionary<string, long> FileSizes { get; init; }

    /// <summary>True when a folder holds a complete store.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, FileName));

    internal void Write(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), ToJson().ToJsonString(new JsonSerializerOptions { WriteIndented = true }));

    internal static StoreManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new UserErrorException($"{folder}: no prepared data here (store.json is missing)");
        try
        {
            return FromJson(JsonNode.Parse(OrdinaryFile.ReadText(path))!);
        }
        catch (Exception e) when (BrokenJson.Caused(e))
        {
            throw new UserErrorException(
                $"{path}: cannot be understood: {BrokenJson.Explain(e)}; delete the folder to prepare the data again", e);
        }
    }

    private JsonObject ToJson() => new()
    {
        ["format"] = FormatVersion,
        ["key"] = Key,
        ["content_hash"] = ContentHash,
        ["kind"] = Kind.ToString(),
        ["train"] = SetJson.Write(Train),
        ["evaluation"] = Evaluation is null ? null : SetJson.Write(Evaluation),
        ["sources"] = new JsonArray([.. Sources.Select(source => (JsonNode)new JsonObject
        {
            ["name"] = source.Name,
            ["shape"] = source.Shape,
            ["files"] = new JsonArray([.. source.Files.Select(file => (JsonNode)new JsonObject { ["path"] = file.Path,
                ["lines"] = file.IsLine })]),
            ["examples"] = source.Examples,
            ["tokens"] = source.Tokens,
        })]),
        ["largest_token_id"] = LargestTokenId,
        ["largest_token_id_example"] = LargestTokenIdExample,
        ["bad_rows"] = BadRows,
        ["bad_row_examples"] = Texts(BadRowExamples),
        ["cleaning"] = new JsonArray([.. Cleaning.Select(count => (JsonNode)new JsonObject
        {
            ["rule"] = count.Rule,
            ["removed"] = count.Removed,
            ["examples"] = Texts(count.Examples),
        })]),
        ["notes"] = Texts(Notes),
        ["file_sizes"] = new JsonObject(FileSizes.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
    };

    private static StoreManifest FromJson(JsonNode json)
    {
        if (json["format"]!.GetValue<int>() != FormatVersion)
            throw new FormatException($"format {json["format"]}; this version reads {FormatVersion}");
        return new StoreManifest
        {
            Key = json["key"]!.GetValue<string>(),
            ContentHash = json["content_hash"]!.GetValue<string>(),
            Kind = Enum.Parse<StoreKind>(json["kind"]!.GetValue<string>()),
            Train = SetJson.Read(json["train"]!),
            Evaluation = json["evaluation"] is { } evaluation ? SetJson.Read(evaluation) : null,
            Sources = [.. json["sources"]!.AsArray().Select(source => new StoreSource(
                source!["name"]!.GetValue<string>(),
                source["shape"]!.GetValue<string>(),
                [.. source["files"]!.AsArray().Select(file => (file!["path"]!.GetValue<string>(), file["lines"]!.GetValue<bool>()))],
                source["examples"]!.GetValue<int>(),
                source["tokens"]!.GetValue<long>()))],
            LargestTokenId = json["largest_token_id"]!.GetValue<int>(),
            LargestTokenIdExample = json["largest_token_id_example"]!.GetValue<string>(),
            BadRows = json["bad_rows"]!.GetValue<int>(),
            BadRowExamples = Texts(json["bad_row_examples"]!),
            Cleaning = [.. json["cleaning"]!.AsArray().Select(count => new CleaningCount(
                count!["rule"]!.GetValue<string>(), count["removed"]!.GetValue<int>(), Texts(count["examples"]!)))],
            Notes = Texts(json["notes"]!),
            FileSizes = json["file_sizes"]!.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<long>()),
        };
    }

    internal static JsonArray Texts(IReadOnlyList<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    internal static List<string> Texts(JsonNode json) => [.. json.AsArray().Select(text => text!.GetValue<string>())];
}
