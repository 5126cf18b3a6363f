using System.IO.Enumeration;
using Handbook.Reports;

namespace Handbook.Quickstart;

/// <summary>Where the quickstart keeps what it makes.</summary>
/// <param name="Root">Its output folder.</param>
public sealed record QuickstartFolder(string Root)
{
    /// <summary>The folder that the recipes' own paths name.</summary>
    public const string Default = "quickstart";

    // What runs, samplings and this command leave: files of other names are somebody's own.
    private static readonly string[] Made =
    [
        "model*.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json",
        "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "chat_template.jinja", "README.md", RunReport.FileName, "*_results.json",
        "trainer_state.json", "metrics.jsonl",
        "metrics.csv", "handbook_run.json", "checkpoint_manifest.json", "objective.safetensors", "optimizer.safetensors",
        "events.out.tfevents.*", ".handbook.lock", "*.lock", "*" + AtomicFile.AsideSuffix,
        "candidates.jsonl", "sft.jsonl", "preferences.jsonl", "completions-*.jsonl", "scores-*.jsonl", "train.jsonl", "test.jsonl",
    ];

    /// <summary>The folder of the made data.</summary>
    public string Data => Path.Combine(Root, "data");

    /// <summary>The tokenizer's folder.</summary>
    public string Tokenizer => Path.Combine(Root, "tokenizer");

    /// <summary>The path of the report.</summary>
    public string Report => Path.Combine(Root, RunReport.FileName);

    /// <summary>The folder of a stage's model.</summary>
    public string Model(string stage) => Path.Combine(Root, stage);

    /// <summary>Writes a copy of a stage's recipe, which the program carries inside, for the user to read and change.</summary>
    public string WriteRecipe(string stage)
    {
        var name = $"{stage}.yaml";
        using var resource = typeof(QuickstartFolder).Assembly.GetManifestResourceStream("quickstart." + name)
            ?? throw new InvalidOperationException($"The program was built without recipes/quickstart/{name}.");
        var path = Path.Combine(Root, name);
        AtomicFile.Write(path, resource.CopyTo);
        return path;
    }

    /// <summary>
    /// Says that the folder is a quickstart's from now on, unless something of one of its names is there that no quickstart made.
    /// </summary>
    /// <exception cref="UserErrorException">The folder is somebody else's.</exception>
    public void Claim(IEnumerable<string> stages)
    {
        if (IsOurs)
            return;
        if (Written([.. stages]).FirstOrDefault(Path.Exists) is { } found)
            throw new UserErrorException($"--output {Root}: {found} is there already, and no quickstart made it; name another --output.");
        AtomicFile.WriteText(MarkPath, "What handbook quickstart made stands beside this file: data, tokenizer, a folder a stage.\n");
    }

    /// <summary>
    /// Removes what an earlier quickstart made, where its mark is: in folders of its own names the files that it and its runs write.
    /// Any other file stays where it is.
    /// </summary>
    /// <returns>The folders that are gone, and the files that stay.</returns>
    /// <exception cref="UserErrorException">The folder is somebody else's.</exception>
    public (IReadOnlyList<string> Removed, IReadOnlyList<string> Kept) Clear(IEnumerable<string> stages)
    {
        var folders = Owned(stages).Where(Directory.Exists).ToList();
        if (folders.Count > 0 && !IsOurs)
            throw new UserErrorException(
                $"--fresh: {folders[0]} is there, and no quickstart made it; nothing was removed. Name another --output.");
        var kept = folders.SelectMany(Empty).ToList();
        return ([.. folders.Where(folder => !Directory.Exists(folder))], kept);
    }

    /// <summary>Removes the files that were made here, and the folders that are empty then; gives what stays.</summary>
    private static List<string> Empty(string folder)
    {
        var kept = new List<string>();
        foreach (var path in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal).ToList())
        {
            // A link to a folder is nobody's of ours, and what it leads to even less.
            if (PathStatus.OfLink(path).Kind == PathKind.Folder)
                kept.AddRange(Empty(path));
            else if (Array.Exists(Made, made => FileSystemName.MatchesSimpleExpression(made, Path.GetFileName(path), ignoreCase: false)))
                File.Delete(path);
            else
                kept.Add(path);
        }
        if (kept.Count == 0)
            Directory.Delete(folder);
        return kept;
    }

    /// <summary>Everything that is written over in the folder itself.</summary>
    private IEnumerable<string> Written(IReadOnlyList<string> stages) =>
        Owned(stages).Append(Report).Concat(stages.Select(stage => Path.Combine(Root, stage + ".yaml")));

    private string MarkPath => Path.Combine(Root, ".handbook-quickstart");

    private bool IsOurs => PathStatus.OfLink(MarkPath).Kind == PathKind.File;

    private IEnumerable<string> Owned(IEnumerable<string> stages) => stages.Select(Model).Append(Data).Append(Tokenizer);
}
