using System.Text.Json.Nodes;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.Sweeps;

/// <summary>The finished runs of a sweep, on disk as <c>sweep.json</c>: what stands there is not run again.</summary>
/// <param name="folder">The sweep's output folder.</param>
public sealed class SweepResults(string folder)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "sweep.json";

    private readonly string path = Path.Combine(folder, FileName);

    /// <summary>Everything finished so far, in the order of finishing.</summary>
    /// <exception cref="UserErrorException">The file is broken.</exception>
    public IReadOnlyList<SweepResult> Load()
    {
        if (!File.Exists(path))
            return [];
        try
        {
            return [.. JsonNode.Parse(OrdinaryFile.ReadText(path))!["runs"]!.AsArray().Select(run => SweepResult.Of(run!.AsObject()))];
        }
        catch (Exception error) when (BrokenJson.Caused(error))
        {
            throw new UserErrorException($"{path}: is not a sweep's record; move it away to run the whole sweep again.", error);
        }
    }

    /// <summary>Adds a run, in place of an earlier one of its name.</summary>
    public void Add(SweepResult result)
    {
        var runs = Load().Where(run => run.Name != result.Name).Append(result);
        AtomicFile.WriteText(path,
            PythonJson.Write(new JsonObject { ["runs"] = new JsonArray([.. runs.Select(run => run.ToJson())]) }, indent: 2, sortKeys: false)
                + "\n");
    }
}
