namespace Handbook.Recipes;

/// <summary>One run of a sweep.</summary>
/// <param name="Settings">The keys that the sweep varies, with this run's values.</param>
/// <param name="Arguments">What a user would type for this run alone.</param>
public sealed record SweepPoint(IReadOnlyList<(string Key, string Value)> Settings, IReadOnlyList<string> Arguments)
{
    /// <summary>The run's name, and its folder's: <c>loss_type-ipo_beta-0.1</c>.</summary>
    public string Name => string.Join('_', Settings.Select(setting => $"{setting.Key}-{FileName(setting.Value)}"));

    private static string FileName(string value) =>
        string.Concat(value.Where(c => c is not ('[' or ']' or ' ' or '"' or '\'')).Select(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '+' or '_' ? c : '-'));
}

/// <summary>The runs of a sweep: every combination of the values that the command line lists.</summary>
public static class SweepGrid
{
    /// <summary>Takes the arguments of a recipe command apart: <c>--beta=0.01,0.1</c> is an axis, <c>--loss_type=[sigmoid,sft],ipo</c> is one of two.</summary>
    /// <exception cref="UserErrorException">An argument is not of the form <c>--key=value</c>, or none lists values.</exception>
    public static IReadOnlyList<SweepPoint> Of(IReadOnlyList<string> arguments)
    {
        var overrides = RecipeOverrides.Parse(arguments);
        IReadOnlyList<SweepPoint> points = [new([], overrides.File is { } file ? [file] : [])];
        foreach (var (path, text) in overrides.Values)
        {
            var values = text is null ? [] : Split(text);
            points = values.Count < 2
                ? [.. points.Select(point => point with { Arguments = [.. point.Arguments, text is null ? $"--{path}" : $"--{path}={text}"] })]
                : [.. points.SelectMany(point => values.Select(value => new SweepPoint([.. point.Settings, (path, value)], [.. point.Arguments, $"--{path}={value}"])))];
        }
        if (points[0].Settings.Count == 0)
            throw new UserErrorException("command line: nothing to sweep over; list the values of a key: --loss_type=sigmoid,ipo --beta=0.01,0.1");
        return points;
    }

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
