using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>
/// What decides a run's result: its task, the recipe's keys that matter, the bytes of model and reference, the training rows, the
/// numbers it computes in, the program's version. It lies in the output folder and in every checkpoint, names no path, and so stays the
/// same when a folder is moved.
/// </summary>
/// <param name="Task">The command.</param>
/// <param name="Keys">The recipe's keys that decide the result, with the values that hold.</param>
/// <param name="Sources">Keys that name files and rows: what they lead to is compared, they are told when it differs.</param>
/// <param name="Model">Hash of the model that the run starts from; empty for a new one, and while it is not known.</param>
/// <param name="Reference">Hash of a reference model of its own; empty for none.</param>
/// <param name="Rows">Hash of the training rows; empty while it is not known.</param>
/// <param name="Precision">The numbers of compute, as the recipe asks for them.</param>
/// <param name="Program">The program's version.</param>
public sealed record RunIdentity(
    string Task, IReadOnlyDictionary<string, string> Keys, IReadOnlyDictionary<string, string> Sources, string Model, string Reference,
    string Rows, string Precision, string Program)
{
    /// <summary>The file's name in an output folder and in every checkpoint.</summary>
    public const string FileName = "handbook_run.json";

    private const int ToldDifferences = 5;

    /// <summary>What the options alone tell.</summary>
    public static RunIdentity Of(RunOptions options) => new(
        options.Task.ToString().ToLowerInvariant(), options.DecisiveKeys, options.SourceKeys, "", "", "",
        (options.Model.IsMachinesPrecision ? Options.Precision.Auto : options.Model.Precision).Words(),
        "handbook " + RunOutputs.Version());

    /// <summary>All of it.</summary>
    /// <param name="options">The run.</param>
    /// <param name="rows">Its training rows.</param>
    /// <exception cref="UserErrorException">A model folder is broken.</exception>
    public static RunIdentity Of(RunOptions options, TokenSet rows) => Of(options) with
    {
        Model = (options.Model.NameOrPath is { } model ? FolderIdentity.Of(model) : "")
            + (options.Lora?.AdapterNameOrPath is { } adapter ? " " + FolderIdentity.OfAdapter(new AdapterFolder(adapter)) : ""),
        Reference = options.Preference.ReferenceModel is { } reference ? FolderIdentity.Of(reference) : "",
        Rows = rows.ContentHash(),
    };

    /// <summary>Hash over everything that decides the result.</summary>
    public string Hash =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(PythonJson.WriteLine(
            (this with { Sources = new Dictionary<string, string>() }).ToJson()))));

    /// <summary>
    /// What tells another run from this one, each in words; empty when nothing does. What is not known of one of them is not compared.
    /// </summary>
    public IReadOnlyList<string> DifferencesFrom(RunIdentity other)
    {
        if (Task != other.Task)
            return [$"it is of {other.Task}, this is {Task}"];
        var differences = Changed(Keys, other.Keys).ToList();
        if (Precision != other.Precision)
            differences.Add($"it computes in {other.Precision}, this in {Precision}");
        if (Differ(Model, other.Model))
            differences.Add("model_name_or_path: the model that it starts from is another" + Told("model_name_or_path", other));
        if (Differ(Reference, other.Reference))
            differences.Add("ref_model: the reference is another");
        if (Differ(Rows, other.Rows))
        {
            var named = Changed(Sources, other.Sources).ToList();
            differences.Add("the training rows are others"
                + (named.Count > 0 ? $" ({string.Join(", ", named.Take(ToldDifferences))})" : ""));
        }
        if (Program != other.Program)
            differences.Add($"it is of {other.Program}, this is {Program}");
        return differences.Count <= ToldDifferences
            ? differences
            : [.. differences.Take(ToldDifferences), FormattableString.Invariant($"and {differences.Count - ToldDifferences} more")];
    }

    /// <summary>Writes the file.</summary>
    public void Save(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), PythonJson.Write(ToJson(), indent: 2, sortKeys: false));

    /// <summary>Reads the file of a folder; null when there is none, or none that can be read.</summary>
    public static RunIdentity? Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            return PythonJson.Read(File.ReadAllText(path)) is JsonObject json ? FromJson(json) : null;
        }
        catch (Exception error) when (error is IOException || BrokenJson.Caused(error))
        {
            return null;
        }
    }

    private static bool Differ(string one, string other) => one.Length > 0 && other.Length > 0 && one != other;

    private static IEnumerable<string> Changed(IReadOnlyDictionary<string, string> now, IReadOnlyDictionary<string, string> before) =>
        now.Keys.Union(before.Keys).Where(key => now.GetValueOrDefault(key) != before.GetValueOrDefault(key))
            .Select(key => $"{key} was {Shown(before, key)}, is {Shown(now, key)}");

    private static string Shown(IReadOnlyDictionary<string, string> values, string key)
    {
        var text = values.GetValueOrDefault(key) ?? "left out";
        return text.Length > 60 ? text[..60] + "..." : text;
    }

    private string Told(string key, RunIdentity other) =>
        Sources.GetValueOrDefault(key) != other.Sources.GetValueOrDefault(key)
            ? $" ({Shown(other.Sources, key)} there, {Shown(Sources, key)} here)" : "";

    private JsonObject ToJson() => new()
    {
        ["task"] = Task,
        ["keys"] = Object(Keys),
        ["sources"] = Object(Sources),
        ["model"] = Model,
        ["reference"] = Reference,
        ["rows"] = Rows,
        ["precision"] = Precision,
        ["program"] = Program,
    };

    private static RunIdentity FromJson(JsonObject json) => new(
        Text(json, "task"), Texts(json, "keys"), Texts(json, "sources"), Text(json, "model"), Text(json, "reference"), Text(json, "rows"),
        Text(json, "precision"), Text(json, "program"));

    private static string Text(JsonObject json, string name) => json[name]!.GetValue<string>();

    private static Dictionary<string, string> Texts(JsonObject json, string name) =>
        json[name]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<string>());

    private static JsonObject Object(IReadOnlyDictionary<string, string> values) =>
        new(values.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));
}
