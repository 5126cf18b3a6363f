using Handbook.Recipes.Yaml;

namespace Handbook.Recipes;

/// <summary>A recipe's file and the command line's overrides, merged and not yet checked.</summary>
/// <param name="File">The file's name in messages; null when everything came from the command line.</param>
/// <param name="Tree">All keys.</param>
public sealed record RecipeSource(string? File, YamlMapping Tree)
{
    /// <summary>Where a value stands, as messages begin: <c>recipe.yaml:14:3</c>, or the command line.</summary>
    public string At(YamlPosition position) =>
        position.Line == CommandLine.Line || File is null ? "command line" : YamlReader.At(File, position);

    /// <summary>The position of every value that was typed on the command line.</summary>
    public static YamlPosition CommandLine { get; } = new(0, 0);

    /// <summary>Reads the arguments of a recipe command, and the file they name.</summary>
    /// <param name="arguments">
    /// <c>recipe.yaml</c> or <c>--config recipe.yaml</c>, and <c>--key=value</c> or <c>--key value</c>, in any order; a dot goes
    /// into a section (<c>--lr_scheduler_kwargs.min_lr_rate=0.1</c>). No file at all is allowed.
    /// </param>
    /// <exception cref="UserErrorException">The file cannot be read, or an argument is not of that form.</exception>
    public static RecipeSource Load(IReadOnlyList<string> arguments)
    {
        var overrides = RecipeOverrides.Parse(arguments);
        var tree = overrides.File is null ? new YamlMapping([], [], CommandLine) : ReadMapping(overrides.File);
        foreach (var (path, text) in overrides.Values)
            tree = Set(tree, path.Split('.'), path, OverrideValue.Read(path, text));
        return new RecipeSource(overrides.File, tree);
    }

    /// <summary>The arguments that name several recipes, as arguments for each of them alone.</summary>
    /// <exception cref="UserErrorException">An argument is not of that form.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Split(IReadOnlyList<string> arguments)
    {
        var overrides = RecipeOverrides.Parse(arguments);
        return overrides.Files.Count == 0
            ? [arguments] : [.. overrides.Files.Select(file => (IReadOnlyList<string>)[$"--config={file}", .. overrides.Words])];
    }

    private static YamlMapping ReadMapping(string file)
    {
        if (Directory.Exists(file))
            throw new UserErrorException($"{file}: is a folder; expected a recipe, a YAML file.");
        return YamlReader.ReadFile(file) switch
        {
            YamlMapping mapping when mapping.Entries.Any(entry => entry.Key is YamlString { Value: "compute_environment" }) =>
                throw new UserErrorException(
                    $"{file}: is a configuration of accelerate, not a recipe; it says how many processes there are, not what they train."),
            YamlMapping mapping => mapping,
            YamlNull => throw new UserErrorException($"{file}: is empty; expected keys and values."),
            var other =>
                throw new UserErrorException($"{YamlReader.At(file, other.Position)}: found {other.Describe()}; expected keys and values."),
        };
    }

    private static YamlMapping Set(YamlMapping mapping, ReadOnlySpan<string> names, string path, YamlValue value)
    {
        var entries = mapping.Entries.ToList();
        var name = names[0];
        var index = entries.FindIndex(entry => entry.Key is YamlString text && text.Value == name);
        var entered = names.Length == 1 ? value : Set(index switch
        {
            < 0 => new YamlMapping([], [], CommandLine),
            _ when entries[index].Value is YamlMapping inner => inner,
            _ when entries[index].Value is YamlNull => new YamlMapping([], [], CommandLine),
            _ => throw new UserErrorException($"command line: --{path}: {name} is {entries[index].Value.Describe()}, not a section."),
        }, names[1..], path, value);
        KeyValuePair<YamlValue, YamlValue> pair = new(
            new YamlString(name, index < 0 || names.Length == 1 ? CommandLine : entries[index].Key.Position), entered);
        if (index < 0)
            entries.Add(pair);
        else
            entries[index] = pair;
        return mapping with { Entries = entries };
    }
}
