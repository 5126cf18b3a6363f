using System.Security.Cryptography;
using System.Text;
using Handbook.Recipes.Keys;

namespace Handbook.Recipes;

/// <summary>One run of a sweep.</summary>
/// <param name="Settings">The keys that the sweep varies, with this run's values.</param>
/// <param name="Arguments">What a user would type for this run alone.</param>
public sealed record SweepPoint(IReadOnlyList<(string Key, string Value)> Settings, IReadOnlyList<string> Arguments)
{
    private const int LongestPart = 60;

    /// <summary>The run's name, and its folder's: <c>loss_type-ipo_beta-0.1</c>.</summary>
    public string Name => string.Join('_', Settings.Select(setting => $"{setting.Key}-{FileName(setting.Value)}"));

    // A value that a folder's name cannot hold as it is carries a mark of its own: a/b, a-b and a:b are three values and three folders.
    private static string FileName(string value)
    {
        var plain = string.Concat(value.Where(c => c is not ('[' or ']' or ' ' or '"' or '\''))
            .Select(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '+' or '_' ? c : '-'));
        if (plain == value && plain.Length <= LongestPart)
            return plain;
        var mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)))[..8];
        return $"{plain[..Math.Min(plain.Length, LongestPart)].Trim('-')}-{mark}";
    }
}

/// <summary>The runs of a sweep: every combination of the values that the command line lists.</summary>
public static class SweepGrid
{
    /// <summary>
    /// Takes the arguments of a recipe command apart: <c>--beta=0.01,0.1</c> is an axis, <c>--loss_type=[sigmoid,sft],ipo</c> is
    /// one of two.
    /// </summary>
    /// <exception cref="UserErrorException">An argument is not of the form <c>--key=value</c>, or none lists values.</exception>
    public static IReadOnlyList<SweepPoint> Of(IReadOnlyList<string> arguments)
    {
        var overrides = RecipeOverrides.Parse(arguments);
        IReadOnlyList<SweepPoint> points = [new([], overrides.File is { } file ? [file] : [])];
        foreach (var (path, text) in overrides.Values)
        {
            var values = text is null ? [] : Split(text);
            if (values.GroupBy(value => value).FirstOrDefault(group => group.Count() > 1) is { } twice && values.Count > 1)
                throw new UserErrorException($"command line: --{path} lists {twice.Key} more than once; a sweep takes each value once.");
            points = values.Count < 2
                ? [.. points.Select(point => point
                    with { Arguments = [.. point.Arguments, text is null ? $"--{path}" : $"--{path}={text}"] })]
                : [.. points.SelectMany(point => values.Select(value => new SweepPoint([.. point.Settings, (path, value)],
                    [.. point.Arguments, $"--{path}={value}"])))];
        }
        if (points.GroupBy(point => point.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } taken)
            throw new UserErrorException(
                $"command line: {taken.Count()} runs would be written to one folder, {taken.Key}; give their values other names.");
        if (points[0].Settings.Count == 0)
            throw new UserErrorException(
                "command line: nothing to sweep over; list the values of a key: --loss_type=sigmoid,ipo --beta=0.01,0.1");
        return points;
    }

    /// <summary>Refuses runs that are one run, their values being written differently: <c>0.1,1e-1</c>.</summary>
    /// <param name="runs">All runs of a sweep, each with its recipe.</param>
    /// <exception cref="UserErrorException">Two are the same: which values.</exception>
    public static void RefuseEqual(IEnumerable<(SweepPoint Point, Recipe Recipe)> runs)
    {
        if (runs.GroupBy(run => Held(run.Recipe), run => run.Point)
            .FirstOrDefault(group => group.Count() > 1)?.Take(2).ToList() is not [var one, var other])
            return;
        var (key, value) = one.Settings.Except(other.Settings).First();
        var same = other.Settings.First(setting => setting.Key == key).Value;
        throw new UserErrorException($"command line: --{key}: {value} and {same} make the same run; a sweep takes each value once.");
    }

    private static string Held(Recipe recipe) => string.Join('\n', Enum.GetValues<KeyEffect>()
        .SelectMany(effect => RunKeyValues.Of(recipe.Values, effect)).Select(entry => $"{entry.Key}: {entry.Value}"));

    /// <summary>Parts between commas; those inside brackets belong to a value.</summary>
    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var (depth, start) = (0, 0);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && (text[i] != ',' || depth > 0))
            {
                depth += text[i] is '[' or '{' ? 1 : text[i] is ']' or '}' ? -1 : 0;
                continue;
            }
            if (text[start..i].Trim() is { Length: > 0 } part)
                parts.Add(part);
            start = i + 1;
        }
        return parts;
    }
}
