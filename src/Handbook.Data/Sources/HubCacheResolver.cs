using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>
/// Finds datasets (or models) that were downloaded into the Hugging Face cache: <c>datasets--org--name/snapshots/commit</c>, where
/// <c>refs/main</c> names the commit.
/// </summary>
/// <param name="cacheFolder">The cache.</param>
/// <param name="kind">What is looked for: <c>datasets</c> or <c>models</c>.</param>
public sealed partial class HubCacheResolver(string cacheFolder, string kind = "datasets") : IDatasetResolver
{
    private readonly string prefix = kind + "--";

    /// <inheritdoc/>
    public string Where => $"the cache ({cacheFolder})";

    /// <inheritdoc/>
    public string? Nearest(string name) =>
        !Directory.Exists(cacheFolder) ? null : NearestName.Find(name, Directory.EnumerateDirectories(cacheFolder, prefix + "*")
            .Select(path => Path.GetFileName(path)[prefix.Length..].Replace("--", "/", StringComparison.Ordinal)));

    /// <summary>The cache of this machine: <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else <c>~/.cache/huggingface/hub</c>.</summary>
    /// <param name="kind">What is looked for: <c>datasets</c> or <c>models</c>.</param>
    public static HubCacheResolver OfThisMachine(string kind = "datasets")
    {
        if (Environment.GetEnvironmentVariable("HF_HUB_CACHE") is { Length: > 0 } cache)
            return new HubCacheResolver(cache, kind);
        var home = Environment.GetEnvironmentVariable("HF_HOME") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "huggingface");
        return new HubCacheResolver(Path.Combine(home, "hub"), kind);
    }

    /// <inheritdoc/>
    public string? Find(string name, string? revision)
    {
        if (!Id().IsMatch(name) || name.Contains("..", StringComparison.Ordinal))
            return null;
        var repository = Path.Combine(cacheFolder, prefix + name.Replace("/", "--", StringComparison.Ordinal));
        revision ??= "main";
        if (!Revision().IsMatch(revision) || revision.Contains("..", StringComparison.Ordinal))
            return null;
        var reference = Path.Combine(repository, "refs", revision);
        var commit = File.Exists(reference) ? OrdinaryFile.ReadText(reference).Trim() : revision;
        var snapshot = Path.Combine(repository, "snapshots", commit);
        return Id().IsMatch(commit) && Directory.Exists(snapshot) ? snapshot : null;
    }

    [GeneratedRegex(@"^[\w.-]+(/[\w.-]+)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Id();

    [GeneratedRegex(@"^[\w.-]+(/[\w.-]+)*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Revision();
}
