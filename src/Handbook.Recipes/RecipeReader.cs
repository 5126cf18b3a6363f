using System.Globalization;
using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Recipes;

/// <summary>Checks a recipe against the table of keys and the rules between keys, collecting every problem before it complains.</summary>
public sealed class RecipeReader
{
    private readonly RecipeSource source;
    private readonly string task;
    private readonly Profile profile;
    private readonly List<(YamlPosition Position, string Text)> problems = [];
    private readonly List<string> notes = [];
    private readonly List<RecipeValue> values = [];

    private RecipeReader(RecipeSource source, string task)
    {
        this.source = source;
        this.task = task;
        profile = ReadProfile(source.Tree);
    }

    /// <summary>The options of a training run, out of a recipe.</summary>
    /// <param name="source">The recipe with the command line's overrides.</param>
    /// <param name="task">What the command is for.</param>
    /// <exception cref="UserErrorException">Something is wrong: all problems, one a line, in the order of the file.</exception>
    public static Recipe Read(RecipeSource source, string task)
    {
        if (!TaskSet.Training.Includes(task))
            throw new UserErrorException($"{source.File ?? "command line"}: is a recipe of 'handbook {task}', which trains nothing; "
                + $"expected one of {TaskSet.Training.Describe()}.");
        var recipe = Check(source, task);
        var method = TrainingMethod.Of(task);
        var options = RecipeKeyTable.Fill(new RunOptions
        {
            Task = task,
            Profile = recipe.Profile,
            Model = new ModelOptions(),
            Data = new DataOptions { Sources = [] },
            Sequences = new SequenceOptions { LossScope = method.IsPlainText ? LossScope.Everything : LossScope.Auto },
            Optimization = new OptimizationOptions { LearningRate = 0 },
            Checkpoints = new CheckpointOptions { OutputDirectory = "" },
            Preference = new PreferenceOptions { LossTypes = [.. method.Losses.Take(1)] },
            DecisiveKeys = RunKeyValues.Of(recipe.Values, KeyEffect.Result),
            SourceKeys = RunKeyValues.Of(recipe.Values, KeyEffect.Source),
            Recipe = source.Tree.ToJson()!.AsObject(),
        }, recipe.Values);
        return new Recipe(source, options, recipe.Values, recipe.Notes);
    }

    /// <summary>The values of a recipe of any command, checked.</summary>
    /// <param name="source">The recipe with the command line's overrides.</param>
    /// <param name="task">What the command is for.</param>
    /// <exception cref="UserErrorException">Something is wrong: all problems, one a line, in the order of the file.</exception>
    public static CheckedRecipe Check(RecipeSource source, string task)
    {
        var reader = new RecipeReader(source, task);
        reader.ReadSection(source.Tree, "", "");
        reader.ApplyAliases();
        var checkedValues = new RecipeValues(reader.values, task, reader.profile);
        if (reader.problems.Count == 0)
        {
            foreach (var (position, text) in RecipeRules.Check(checkedValues, task, reader.notes, source.At))
                reader.problems.Add((position, text));
        }
        if (reader.problems.Count > 0)
        {
            throw new UserErrorException(reader.problems.OrderBy(problem => problem.Position.Line)
                .ThenBy(problem => problem.Position.Column)
                .Select(problem => $"{source.At(problem.Position)}: {problem.Text}"));
        }
        return new CheckedRecipe(source, task, reader.profile, checkedValues, reader.notes);
    }

    /// <summary>The task that a recipe names: by its <c>task</c> key, else by its path (<c>.../dpo/config.yaml</c>); else null.</summary>
    public static string? FindTask(RecipeSource source)
    {
        var named = source.Tree.Entries.FirstOrDefault(entry => entry.Key is YamlString { Value: "task" }).Value as YamlString;
        if (RecipeTasks.All.FirstOrDefault(task => task.Equals(named?.Value, StringComparison.OrdinalIgnoreCase)) is { } own)
            return own;
        var words = (source.File ?? "").Split(['/', '\\', '.', '_', '-']);
        var found = RecipeTasks.All.Where(words.Contains).ToList();
        // A folder of samples may well hold a recipe that trains: what trains wins.
        return found.LastOrDefault(TaskSet.Training.Includes) ?? found.LastOrDefault();
    }

    /// <summary>The name under which a path stands in the table: places in lists left out.</summary>
    internal static string TableName(string path)
    {
        var open = path.IndexOf('[', StringComparison.Ordinal);
        return open < 0 ? path : path[..(open + 1)] + path[path.IndexOf(']', StringComparison.Ordinal)..];
    }

    private static Profile ReadProfile(YamlMapping tree) =>
        tree.Entries.FirstOrDefault(entry => entry.Key is YamlString { Value: "profile" }).Value is YamlString text
            ? ProfileNames.Find(text.Value) : Profile.Best;

    private void ReadSection(YamlMapping mapping, string section, string path)
    {
        foreach (var repeated in mapping.Repeated)
            notes.Add($"{source.At(repeated.Position)}: "
                + $"{path}{YamlMapping.KeyText(repeated)} is given more than once; the last one counts.");
        foreach (var (key, value) in mapping.Entries)
        {
            var name = YamlMapping.KeyText(key);
            var row = RecipeKeyTable.Find(section + name);
            if (row is null)
                AddProblem(key.Position, path + name,
                    $"is not a key of a recipe.{NearestName.Hint(name, RecipeKeyTable.Names(section, task))}");
            else if (!row.Tasks.Includes(task))
                AddProblem(key.Position, path + name, $"belongs to {row.Tasks.Describe()}, not to {task}.");
            else if (row.Verb == KeyVerb.Reject)
                AddProblem(key.Position, path + name, row.Doc["Refused: ".Length..]);
            else
                ReadValue(row, key, value, path + name);
        }
        foreach (var required in RecipeKeyTable.Rows.Where(row => row.IsRequired && row.Section == section && row.Tasks.Includes(task)))
        {
            if (!mapping.Entries.Any(entry => entry.Key is YamlString text && text.Value == required.LocalName))
                AddProblem(mapping.Position, path + required.LocalName, $"is required: {required.Doc}");
        }
    }

    private void ReadValue(RecipeKey row, YamlValue key, YamlValue value, string path)
    {
        // A section's note is enough for what is in it.
        if (row.Verb == KeyVerb.Accept && RecipeKeyTable.Find(row.Section.TrimEnd('.'))?.Verb != KeyVerb.Accept)
            notes.Add($"{source.At(key.Position)}: {path}: {WithoutEffect(row)}");
        switch (row.Kind, value)
        {
            case (KeyKind.Section, YamlMapping mapping):
                values.Add(new RecipeValue(path, null, key.Position));
                ReadSection(mapping, row.Name + ".", path + ".");
                break;
            case (KeyKind.SectionList, YamlSequence { Items.Count: > 0 } sequence):
                values.Add(new RecipeValue(path, sequence.Items.Count, key.Position));
                foreach (var (index, item) in sequence.Items.Index())
                    ReadItem(row, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]"));
                break;
            case (KeyKind.Section, YamlNull) when row.IsNullable:
                break;
            default:
                var (read, problem) = ValueReader.Read(row, value);
                if (problem is not null)
                    AddProblem(value.Position, path, problem);
                else
                    values.Add(new RecipeValue(path, read, value.Position));
                break;
        }
    }

    private void ReadItem(RecipeKey row, YamlValue item, string path)
    {
        if (item is YamlMapping mapping)
            ReadSection(mapping, row.Name + "[].", path + ".");
        else
            AddProblem(item.Position, path, $"expected a mapping, found {item.Describe()}.");
    }

    private void ApplyAliases()
    {
        foreach (var alias in values.Where(value => RecipeKeyTable.Find(value.Path)?.Verb == KeyVerb.Alias).ToList())
        {
            values.Remove(alias);
            var row = RecipeKeyTable.Find(alias.Path)!;
            var target = RecipeKeyTable.Find(row.Target!)!;
            var mapped = MapAlias(row, target, alias);
            if (mapped is null)
                continue;
            var present = values.Find(value => value.Path == row.Target);
            if (present is not null && !Equals(present.Value, mapped.Value))
                AddProblem(alias.Position, alias.Path, $"is the older name of {row.Target}, which is given too, with another value.");
            else if (present is null)
            {
                values.Add(mapped);
                notes.Add(target.Verb == KeyVerb.Accept
                    ? $"{source.At(alias.Position)}: {alias.Path}: {WithoutEffect(target)}"
                    : $"{source.At(alias.Position)}: {alias.Path} is the older name of {row.Target}.");
            }
        }
    }

    private RecipeValue? MapAlias(RecipeKey row, RecipeKey target, RecipeValue alias)
    {
        if (alias.Value is null)
            return null;
        var yaml = row.TargetValues is { } map ? map[alias.Value is true ? "true" : "false"] : null;
        if (yaml == "")
            return null;
        YamlValue value = yaml is not null ? new YamlString(yaml, alias.Position) : alias.Value switch
        {
            bool flag => new YamlBoolean(flag, alias.Position),
            long whole => new YamlInteger(whole, alias.Position),
            var text => new YamlString((string)text, alias.Position),
        };
        var (read, problem) = ValueReader.Read(target, value);
        if (problem is null)
            return new RecipeValue(target.Name, read, alias.Position);
        AddProblem(alias.Position, alias.Path, problem);
        return null;
    }

    private static string WithoutEffect(RecipeKey row) => char.ToLowerInvariant(row.Doc[0]) + row.Doc[1..];

    private void AddProblem(YamlPosition position, string path, string text) => problems.Add((position, $"{path}: {text}"));
}
