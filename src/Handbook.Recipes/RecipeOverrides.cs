using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;

namespace Handbook.Recipes;

/// <summary>The arguments of a recipe command, taken apart.</summary>
/// <param name="Files">The recipes that are named, wherever they stand.</param>
/// <param name="Values">Key and text, in the order typed; the text is null for a bare <c>--flag</c>.</param>
internal sealed record RecipeOverrides(IReadOnlyList<string> Files, IReadOnlyList<(string Path, string? Text)> Values)
{
    private const string ConfigOption = "config";

    /// <summary>The recipe; null when none is named.</summary>
    /// <exception cref="UserErrorException">Several are.</exception>
    public string? File => Files switch
    {
        [] => null,
        [var only] => only,
        [var first, var second, ..] =>
            throw new UserErrorException($"command line: two recipes are named, {first} and {second}; one is expected."),
    };

    public static RecipeOverrides Parse(IReadOnlyList<string> arguments)
    {
        var files = new List<string>();
        var values = new List<(string, string?)>();
        var seen = new HashSet<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument.Trim().Length == 0)
                throw new UserErrorException("command line: a word is empty; the name of a recipe, or --key=value, is expected.");
            if (!argument.StartsWith("--", StringComparison.Ordinal) || argument.Length == 2)
            {
                if (!MayBeRecipe(argument, isFirst: files.Count == 0))
                    throw new UserErrorException($"command line: '{argument}' is not of the form --key=value.");
                files.Add(argument);
                continue;
            }
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var path = equals < 0 ? argument[2..] : argument[2..equals];
            var text = equals >= 0 ? argument[(equals + 1)..] : TakesNext(path, arguments, i) ? arguments[++i] : null;
            if (path.Length == 0 || path.Split('.').Contains(""))
                throw new UserErrorException($"command line: '{argument}' is not of the form --key=value.");
            if (!seen.Add(path))
                throw new UserErrorException($"command line: --{path} is given twice.");
            if (path != ConfigOption)
                values.Add((path, text));
            else
                files.Add(!string.IsNullOrWhiteSpace(text) ? text
                    : throw new UserErrorException("command line: --config: a recipe's name is missing."));
        }
        return new RecipeOverrides(files, values);
    }

    /// <summary>What a user would type for the same values, without a recipe.</summary>
    public IReadOnlyList<string> Words =>
    [
        .. Values.Select(value => value.Text is null ? $"--{value.Path}" : $"--{value.Path}={value.Text}"),
    ];

    /// <summary>
    /// Whether a word without dashes is a recipe, not an override whose dashes were forgotten: only the first one need not look like one.
    /// </summary>
    private static bool MayBeRecipe(string word, bool isFirst) =>
        System.IO.File.Exists(word) || word.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase)
            || word.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
        || isFirst && !word.StartsWith('-') && !word.Contains('=', StringComparison.Ordinal);

    /// <summary>
    /// Whether the word after a bare <c>--key</c> is its value: after a flag only what a flag can be, so that a recipe may follow it.
    /// </summary>
    private static bool TakesNext(string path, IReadOnlyList<string> arguments, int index) =>
        index + 1 < arguments.Count && !arguments[index + 1].StartsWith("--", StringComparison.Ordinal)
        && (OverrideValue.Row(path)?.Kind != KeyKind.Flag || !MayBeRecipe(arguments[index + 1], isFirst: false));
}

/// <summary>From the text of an override to a value: texts as typed, everything else as YAML.</summary>
internal static class OverrideValue
{
    public static YamlValue Read(string path, string? text)
    {
        var row = Row(path);
        if (row is not null && IsMissing(row, text))
            throw new UserErrorException($"command line: {path}: its value is missing; expected {row.Expectation()}.");
        if (text is null)
            return new YamlBoolean(true, RecipeSource.CommandLine);
        // An explicit null stays null where a key knows it; any other text is taken to the letter, colons and all.
        if (row?.Kind is KeyKind.TextValue or KeyKind.TextOrFlag && !(row.IsNullable && text is "null" or "None"))
            return new YamlString(text, RecipeSource.CommandLine);
        if (row?.Kind is KeyKind.TextList or KeyKind.NumberList && !text.StartsWith('['))
        {
            // v0.3's form of a list on the command line: a,b,c
            return new YamlSequence([.. text.Split(',').Select(part => Place(YamlReader.Read(part.Trim(), "--" + path)))],
                RecipeSource.CommandLine);
        }
        return Place(YamlReader.Read(text, "--" + path));
    }

    /// <summary>The row that says what a key's value must be; null for an unknown key.</summary>
    public static RecipeKey? Row(string path) =>
        RecipeKeyTable.Find(path) is { Verb: KeyVerb.Alias, Target: { } target } ? RecipeKeyTable.Find(target) : RecipeKeyTable.Find(path);

    /// <summary>
    /// A bare <c>--key</c> means true, which only some keys can be; nothing behind the equals sign is a value for texts and where
    /// null is one.
    /// </summary>
    private static bool IsMissing(RecipeKey row, string? text) =>
        row.Verb == KeyVerb.Honour && row.Kind is not (KeyKind.TextOrFlag or KeyKind.Anything)
            && (text is null ? row.Kind != KeyKind.Flag : text.Length == 0 && row.Kind != KeyKind.TextValue && !row.IsNullable);

    private static YamlValue Place(YamlValue value) => value switch
    {
        YamlSequence sequence => new YamlSequence([.. sequence.Items.Select(Place)], RecipeSource.CommandLine),
        YamlMapping mapping => new YamlMapping(
            [.. mapping.Entries.Select(entry => KeyValuePair.Create(Place(entry.Key), Place(entry.Value)))],
            mapping.Repeated, RecipeSource.CommandLine),
        _ => value with { Position = RecipeSource.CommandLine },
    };
}
