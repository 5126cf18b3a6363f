namespace Handbook.Recipes.Keys;

/// <summary>What is owed to a key of the original.</summary>
public enum KeyVerb
{
    /// <summary>It changes what happens.</summary>
    Honour,

    /// <summary>An older name of another key; mapped, with a note.</summary>
    Alias,

    /// <summary>It has no effect on this runtime; its type is checked, and a note says so.</summary>
    Accept,

    /// <summary>An error with a hint.</summary>
    Reject,
}

/// <summary>The form of a key's value.</summary>
public enum KeyKind
{
    /// <summary>A text.</summary>
    TextValue,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number; text such as <c>1e-5</c>, which YAML 1.1 does not take for one, is read as one.</summary>
    Number,

    /// <summary>Steps (a whole number from 1) or a share of all steps (between 0 and 1).</summary>
    Steps,

    /// <summary>Rows (a whole number from 1) or a share of them (between 0 and 1).</summary>
    RowShare,

    /// <summary>A text or true or false.</summary>
    TextOrFlag,

    /// <summary>A list of texts; one text is a list of one.</summary>
    TextList,

    /// <summary>A list of numbers; one number is a list of one.</summary>
    NumberList,

    /// <summary>A mapping whose keys are in the table too, under <c>parent.child</c>.</summary>
    Section,

    /// <summary>A list of such mappings, their keys under <c>parent[].child</c>.</summary>
    SectionList,

    /// <summary>A mapping of free names to numbers.</summary>
    NumberMap,

    /// <summary>A mapping of free names to texts.</summary>
    TextMap,

    /// <summary>A mapping of anything, kept as it is.</summary>
    Anything,
}

/// <summary>What it means for a run that a key's value changed since it began.</summary>
public enum KeyEffect
{
    /// <summary>The result would be another: the run does not go on.</summary>
    Result,

    /// <summary>It names files or rows; what they lead to is compared, not the value.</summary>
    Source,

    /// <summary>It says how long, where, or what is reported and kept: the run goes on.</summary>
    Course,
}

/// <summary>Where a key comes from.</summary>
public enum KeyOrigin
{
    /// <summary>The Alignment Handbook's own configuration classes.</summary>
    H4,

    /// <summary>TRL's configuration classes.</summary>
    Trl,

    /// <summary>transformers' TrainingArguments.</summary>
    Hf,

    /// <summary>This project.</summary>
    Ours,
}

/// <summary>The values a number may have.</summary>
/// <param name="Text">In words, as in "expected a number above 0".</param>
/// <param name="Holds">Whether a value is allowed.</param>
public sealed record NumberRange(string Text, Func<double, bool> Holds)
{
    /// <summary>Greater than <paramref name="bound"/>.</summary>
    public static NumberRange Above(double bound) => new(FormattableString.Invariant($"above {bound}"), value => value > bound);

    /// <summary><paramref name="bound"/> or more.</summary>
    public static NumberRange From(double bound) => new(FormattableString.Invariant($"of {bound} or more"), value => value >= bound);

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>, both allowed.</summary>
    public static NumberRange Within(double low, double high) =>
        new(FormattableString.Invariant($"from {low} to {high}"), value => value >= low && value <= high);

    /// <summary>From <paramref name="low"/>, below <paramref name="high"/>.</summary>
    public static NumberRange Below(double low, double high) =>
        new(FormattableString.Invariant($"from {low}, below {high}"), value => value >= low && value < high);
}

/// <summary>A default for some tasks or one profile; the first that fits counts.</summary>
/// <param name="Value">In YAML.</param>
/// <param name="Tasks">For which tasks; null for any.</param>
/// <param name="Profile">For which profile; null for any.</param>
public sealed record KeyDefault(string Value, TaskSet? Tasks = null, Profile? Profile = null);

/// <summary>One key of a recipe: everything that checks, help and the editor's schema need to know.</summary>
public record RecipeKey
{
    /// <summary>The name; <c>parent.child</c> inside a section, <c>parent[].child</c> inside a list of sections.</summary>
    public required string Name { get; init; }

    /// <summary>What is owed to it.</summary>
    public KeyVerb Verb { get; init; } = KeyVerb.Honour;

    /// <summary>The form of its value.</summary>
    public required KeyKind Kind { get; init; }

    /// <summary>Where it comes from.</summary>
    public required KeyOrigin Origin { get; init; }

    /// <summary>What it does, a sentence or two.</summary>
    public required string Doc { get; init; }

    /// <summary>Defaults by task and profile; empty: null, or required.</summary>
    public IReadOnlyList<KeyDefault> Defaults { get; init; } = [];

    /// <summary>Whether it must be given.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Whether <c>null</c> may be written.</summary>
    public bool IsNullable { get; init; }

    /// <summary>The numbers allowed; null for any finite one.</summary>
    public NumberRange? Range { get; init; }

    /// <summary>The texts allowed; empty for any.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The commands that know it: unless it is said, the methods whose rows name it, or else all that train.</summary>
    public TaskSet Tasks { get => field ?? TaskSet.OfKey(Name); init; }

    /// <summary>What it means for a begun run that the value changed.</summary>
    public KeyEffect Effect { get; init; } = KeyEffect.Result;

    /// <summary>The key without which this one means nothing; null for none.</summary>
    public string? OnlyWith { get; init; }

    /// <summary>The present name of an alias.</summary>
    public string? Target { get; init; }

    /// <summary>For an alias whose values differ too: the target's value in YAML by the given one; <c>""</c> sets nothing.</summary>
    public IReadOnlyDictionary<string, string>? TargetValues { get; init; }

    /// <summary>What its value sets, for training and for making data.</summary>
    internal IReadOnlyList<KeyBinding> Bindings { get; init; } = [];

    /// <summary>The name of the section it is in, with its dot; empty at the top.</summary>
    public string Section => Name[..(Name.LastIndexOf('.') + 1)];

    /// <summary>The name inside its section.</summary>
    public string LocalName => Name[(Name.LastIndexOf('.') + 1)..];

    /// <summary>The default for a task under a profile, in YAML; null when there is none.</summary>
    public string? DefaultFor(string task, Profile profile) => Defaults
        .FirstOrDefault(entry => entry.Tasks?.Includes(task) != false && (entry.Profile is null || entry.Profile == profile))?.Value;

    /// <summary>What is expected, in words: "a number above 0", "one of: no, steps, epoch".</summary>
    public string Expectation()
    {
        var kind = Kind switch
        {
            KeyKind.TextValue => "a text",
            KeyKind.Flag => "true or false",
            KeyKind.Integer => "a whole number",
            KeyKind.Number => "a number",
            KeyKind.Steps => "a number of steps, or a share of all steps between 0 and 1",
            KeyKind.RowShare => "a number of rows, or a share of them between 0 and 1",
            KeyKind.TextOrFlag => "a text, or true or false",
            KeyKind.TextList => "a list of texts",
            KeyKind.NumberList => "a list of numbers",
            KeyKind.SectionList => "a list of mappings",
            KeyKind.NumberMap => "a mapping of names to numbers",
            KeyKind.TextMap => "a mapping of names to texts",
            _ => "a mapping",
        };
        if (Choices.Count > 0)
            kind = (Kind == KeyKind.TextList ? "a list out of: " : "one of: ") + string.Join(", ", Choices);
        if (Range is not null)
            kind += " " + Range.Text;
        return IsNullable ? kind + ", or null" : kind;
    }
}
