using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Adapters;

/// <summary>One model or adapter that an adapter was trained on.</summary>
/// <param name="Path">Where it lay: a path that is relative to the adapter's folder, or absolute.</param>
/// <param name="Sha256">Its identity: <see cref="FolderIdentity"/>.</param>
public sealed record Parent(string Path, string Sha256);

/// <summary>
/// All that an adapter was trained on: the base first, then the adapters around it, with hashes. An adapter on other weights than those
/// talks nonsense without an error, so it is refused.
/// </summary>
/// <param name="Parents">The base, then adapters from the innermost out.</param>
public sealed record Lineage(IReadOnlyList<Parent> Parents)
{
    /// <summary>The codes of few bits that the base's weights were in while the adapter was trained; null for none.</summary>
    public QuantizationConfig? Quantization { get; init; }

    /// <summary>Name of the file beside the adapter.</summary>
    public const string FileName = "lineage.json";

    private const int FormatVersion = 1;

    /// <summary>Reads the file of an adapter's folder; null when there is none, as beside adapters of others.</summary>
    /// <exception cref="UserErrorException">It is broken.</exception>
    public static Lineage? Read(string folder)
    {
        var path = System.IO.Path.Combine(folder, FileName);
        if (!ConfigFile.IsThere(path))
            return null;
        var json = new ConfigReader(ConfigFile.Read(path), path);
        if (json.Integer("format_version") > FormatVersion)
            json.Problem("format_version", $"is {json.Json["format_version"]}; this program knows {FormatVersion}", 0);
        var parents = json.Json["parents"] is JsonArray { Count: > 0 } list && list.All(IsParent)
            ? list.Select(parent => new Parent(parent!["path"]!.GetValue<string>(), parent["sha256"]!.GetValue<string>())).ToList()
            : json.Problem<List<Parent>>("parents", "must be a list of objects with path and sha256", []);
        json.Ignore("parents");
        var codes = json.String("quantization", "");
        var quantization = QuantizationConfig.OfName(codes);
        if (codes.Length > 0 && quantization is null)
            json.Problem("quantization", $"is \"{codes}\", which is not known; nf4, fp4 (with double after them or not) and int8 are", 0);
        json.Finish("lineage");
        return new Lineage(parents) { Quantization = quantization };
    }

    /// <summary>Writes it into an adapter's folder.</summary>
    internal void Write(string folder)
    {
        var parents = Parents.Select(parent => (JsonNode)new JsonObject { ["path"] = parent.Path, ["sha256"] = parent.Sha256 });
        ConfigFile.Write(System.IO.Path.Combine(folder, FileName),
            new JsonObject { ["format_version"] = FormatVersion, ["parents"] = new JsonArray([.. parents]),
                ["quantization"] = Quantization?.Name });
    }

    private static bool IsParent(JsonNode? node) => node is JsonObject parent && IsText(parent["path"]) && IsText(parent["sha256"]);

    private static bool IsText(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String;
}
