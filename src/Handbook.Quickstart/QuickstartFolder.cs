using Handbook.Reports;

namespace Handbook.Quickstart;

/// <summary>Where the quickstart keeps what it makes.</summary>
/// <param name="Root">Its output folder.</param>
public sealed record QuickstartFolder(string Root)
{
    /// <summary>The folder that the recipes' own paths name.</summary>
    public const string Default = "quickstart";

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
        if (Owned(stages).FirstOrDefault(Path.Exists) is { } found)
            throw new UserErrorException($"--output {Root}: {found} is there already, and no quickstart made it; name another --output.");
        AtomicFile.WriteText(MarkPath, "What handbook quickstart made stands beside this file: data, tokenizer, a folder a stage.\n");
    }

    /// <summary>Removes what an earlier quickstart made: folders of its own names, where its mark is.</summary>
    /// <returns>What was removed.</returns>
    /// <exception cref="UserErrorException">The folder is somebody else's.</exception>
    public IReadOnlyList<string> Clear(IEnumerable<string> stages)
    {
        var folders = Owned(stages).Where(Directory.Exists).ToList();
        if (folders.Count > 0 && !IsOurs)
            throw new UserErrorException($"--fresh: {folders[0]} is there, and no quickstart made it; nothing was removed. Name another --output.");
        foreach (var folder in folders)
            Directory.Delete(folder, recursive: true);
        return folders;
    }

    private string MarkPath => Path.Combine(Root, ".handbook-quickstart");

    private bool IsOurs => PathStatus.OfLink(MarkPath).Kind == PathKind.File;

    private IEnumerable<string> Owned(IEnumerable<string> stages) => stages.Select(Model).Append(Data).Append(Tokenizer);
}
