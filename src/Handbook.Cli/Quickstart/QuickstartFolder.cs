namespace Handbook.Cli.Quickstart;

/// <summary>Where the quickstart keeps what it makes.</summary>
/// <param name="Root">Its output folder.</param>
internal sealed record QuickstartFolder(string Root)
{
    /// <summary>The folder that the recipes' own paths name.</summary>
    public const string Default = "quickstart";

    public string Data => Path.Combine(Root, "data");

    public string Tokenizer => Path.Combine(Root, "tokenizer");

    public string Report => Path.Combine(Root, Handbook.Training.Reports.RunReport.FileName);

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

    /// <summary>Removes what an earlier quickstart made; only folders and files of its own names.</summary>
    public void Clear(IEnumerable<string> stages)
    {
        foreach (var folder in stages.Select(Model).Append(Data).Append(Tokenizer).Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }
}
