using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;

namespace Handbook.Recipes;

/// <summary>The arguments of a recipe command, taken apart.</summary>
/// <param name="File">The recipe; null when none is named.</param>
/// <param name="Values">Key and text, in the order typed; the text is null for a bare <c>--flag</c>.</param>
internal sealed record RecipeOverrides(string? File, IReadOnlyList<(string Path, string? Text)> Values)
{
    private const string ConfigOption = "config";

    public static RecipeOverrides Parse(IReadOnlyList<string> arguments)
    {
        string? file = null;
        var values = new List<(string, string?)>();
        var seen = new HashSet<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal) || argument.Length == 2)
            {
                if (file is not null || values.Count > 0)
                    throw new UserErrorException($"command line: '{argument}' is not of the form --key=value.");
                file = argument;
                continue;
            }
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var path = equals < 0 ? argument[2..] : argument[2..equals];
            var text = equals >= 0 ? argument[(equals + 1)..] : TakesNext(arguments, i) ? arguments[++i] : null;
            if (path.Length == 0 || path.Split('.').Contains(""))
                throw new UserErrorException($"command line: '{argument}' is not of the form --key=value.");
            if (!seen.Add(path))
                throw new UserErrorException($"command line: --{path} is given twice.");
            if (path != ConfigOption)
                values.Add((path, text));
            else if (file is null)
                file = text ?? throw new UserErrorException("command line: --config takes a recipe.");
            else
                throw new UserErrorException($"command line: two recipes are named, {file} and {text}.");
        }
        return new RecipeOverrides(file, values);
    }

    private static bool TakesNext(IReadOnlyList<string> arguments, int index) =>
        index + 1 < arguments.Count && !arguments[index + 1].StartsWith("--", StringComparison.Ordinal);
}

/// <summary>From the text of an override to a value: texts as typed, everything else as YAML.</summary>
internal static class OverrideValue
{
    public static YamlValue Read(string path, string? text)
    {
        var row = RecipeKeyTable.Find(path) is { Verb: KeyVerb.Alias, Target: { } target } ? RecipeKeyTable.Find(target) : RecipeKeyTable.Find(path);
        if (text is null)
            return new YamlBoolean(true, RecipeSource.CommandLine);
        // An explicit null stays null where a key knows it; any other text is taken to the letter, colons and all.
        if (row?.Kind is KeyKind.TextValue or KeyKind.TextOrFlag && !(row.IsNullable && text is "null" or "None"))
            return new YamlString(text, RecipeSource.CommandLine);
        if (row?.Kind is KeyKind.TextList or KeyKind.NumberList && !text.StartsWith('['))
        {
            // v0.3's form of a list on the command line: a,b,c
            return new YamlSequence([.. text.Split(',').Select(part => Place(YamlReader.Read(part.Trim(), "--" + path)))], RecipeSource.CommandLine);
        }
        return Place(YamlReader.Read(text, "--" + path));
    }

    private static YamlValue Place(YamlValue value) => value switch
    {
        YamlSequence sequence => new YamlSequence([.. sequence.Items.Select(Place)], RecipeSource.CommandLine),
        YamlMapping mapping => new YamlMapping(
            [.. mapping.Entries.Select(entry => KeyValuePair.Create(Place(entry.Key), Place(entry.Value)))], mapping.Repeated, RecipeSource.CommandLine),
        _ => value with { Position = RecipeSource.CommandLine },
    };
}
