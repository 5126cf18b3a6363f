using System.Text.Json.Nodes;
using Handbook.Training.Options;

namespace Handbook.Recipes.Keys;

/// <summary>The form of a key's value, with the type that its binding is handed.</summary>
/// <param name="Kind">The form.</param>
/// <param name="IsNullable">Whether <c>null</c> may be written.</param>
/// <param name="Of">The value as that type, from what the reader made of it.</param>
internal sealed record ValueForm<T>(KeyKind Kind, bool IsNullable, Func<object?, T> Of)
{
    /// <summary>The texts allowed; empty for any.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];
}

/// <summary>The forms that rows of the table name.</summary>
internal static class ValueForms
{
    public static ValueForm<string> Text { get; } = Given<string>(KeyKind.TextValue);

    public static ValueForm<string?> TextOrNull { get; } = OrNull<string>(KeyKind.TextValue);

    public static ValueForm<bool> Flag { get; } = Given<bool>(KeyKind.Flag);

    public static ValueForm<bool?> FlagOrNull { get; } = new(KeyKind.Flag, true, value => (bool?)value);

    public static ValueForm<int> Integer { get; } = new(KeyKind.Integer, false, value => (int)(long)value!);

    public static ValueForm<int?> IntegerOrNull { get; } = new(KeyKind.Integer, true, value => (int?)(long?)value);

    public static ValueForm<double> Number { get; } = Given<double>(KeyKind.Number);

    public static ValueForm<double?> NumberOrNull { get; } = new(KeyKind.Number, true, value => (double?)value);

    public static ValueForm<double> Steps { get; } = Given<double>(KeyKind.Steps);

    public static ValueForm<double?> StepsOrNull { get; } = new(KeyKind.Steps, true, value => (double?)value);

    public static ValueForm<RowCount?> RowShareOrNull { get; } = new(KeyKind.RowShare, true, value => (RowCount?)value);

    public static ValueForm<string?> TextOrFlagOrNull { get; } = OrNull<string>(KeyKind.TextOrFlag);

    public static ValueForm<IReadOnlyList<string>> Texts { get; } = Given<IReadOnlyList<string>>(KeyKind.TextList);

    public static ValueForm<IReadOnlyList<string>?> TextsOrNull { get; } = OrNull<IReadOnlyList<string>>(KeyKind.TextList);

    public static ValueForm<IReadOnlyList<double>?> NumbersOrNull { get; } = OrNull<IReadOnlyList<double>>(KeyKind.NumberList);

    /// <summary>A section hands on nothing; its keys have rows of their own.</summary>
    public static ValueForm<object?> SectionOrNull { get; } = OrNull<object>(KeyKind.Section);

    public static ValueForm<int> Sections { get; } = new(KeyKind.SectionList, false, value => (int?)value ?? 0);

    public static ValueForm<IReadOnlyList<KeyValuePair<string, double>>?> NumberMapOrNull { get; } =
        OrNull<IReadOnlyList<KeyValuePair<string, double>>>(KeyKind.NumberMap);

    public static ValueForm<IReadOnlyDictionary<string, string>?> TextMapOrNull { get; } = new(
        KeyKind.TextMap, true, value => ((IReadOnlyList<KeyValuePair<string, string>>?)value)?.ToDictionary());

    public static ValueForm<JsonObject?> JsonOrNull { get; } = new(
        KeyKind.Anything, true, value => (JsonObject?)((JsonNode?)value)?.DeepClone());

    /// <summary>One of a few names, each with what it means.</summary>
    public static ValueForm<T> OneOf<T>(params (string Name, T Meaning)[] choices) =>
        new(KeyKind.TextValue, false, value => Meaning(choices, value)) { Choices = [.. choices.Select(choice => choice.Name)] };

    /// <summary>One of a few names, each with what it means, or null.</summary>
    public static ValueForm<T?> OneOfOrNull<T>(params (string Name, T Meaning)[] choices) where T : struct =>
        new(KeyKind.TextValue, true, value => value is null ? null : Meaning(choices, value))
        {
            Choices = [.. choices.Select(choice => choice.Name)],
        };

    private static T Meaning<T>((string Name, T Meaning)[] choices, object? value) =>
        choices.First(choice => choice.Name == (string)value!).Meaning;

    private static ValueForm<T> Given<T>(KeyKind kind) => new(kind, false, value => (T)value!);

    private static ValueForm<T?> OrNull<T>(KeyKind kind) where T : class => new(kind, true, value => (T?)value);
}
