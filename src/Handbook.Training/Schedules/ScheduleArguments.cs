using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Training.Schedules;

/// <summary>Reads the values under <c>lr_scheduler_kwargs</c> with their types; a wrong one is one clear line.</summary>
internal sealed class ScheduleArguments(string schedule, JsonObject? values)
{
    /// <summary>Refuses names that the schedule does not know.</summary>
    public void CheckNames(IReadOnlyList<string> known)
    {
        foreach (var (name, _) in values ?? [])
        {
            if (!known.Contains(name, StringComparer.Ordinal))
            {
                var allowed = known.Count == 0 ? "it takes none" : $"it takes {string.Join(", ", known)}";
                throw new UserErrorException(
                    $"lr_scheduler_kwargs.{name}: {schedule} does not know it; {allowed}.{NearestName.Hint(name, known)}");
            }
        }
    }

    /// <summary>The number, or null when the key is absent or null.</summary>
    public double? Number(string name) => Value(name) switch
    {
        null => null,
        var value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number) => number,
        var value when value.TryGetValue<int>(out var whole) => whole,
        var value => throw Wrong(name, value, "a number"),
    };

    /// <summary>The whole number, or null when the key is absent or null.</summary>
    public int? Whole(string name) => Number(name) switch
    {
        null => null,
        { } number when number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue => (int)number,
        _ => throw Wrong(name, Value(name)!, "a whole number"),
    };

    /// <summary>One of <paramref name="allowed"/>; its first entry when the key is absent.</summary>
    public string OneOf(string name, params string[] allowed)
    {
        if (Value(name) is not { } value)
            return allowed[0];
        var text = value.TryGetValue<string>(out var read) ? read : value.ToJsonString();
        return allowed.Contains(text, StringComparer.Ordinal)
            ? text
            : throw Wrong(name, value, "one of " + string.Join(", ", allowed));
    }

    /// <summary>The error for a key that the schedule cannot do without.</summary>
    public UserErrorException Missing(string name) => new($"lr_scheduler_kwargs.{name}: {schedule} needs it.");

    private JsonValue? Value(string name) => values?[name] switch
    {
        null => null,
        JsonValue value => value,
        var node => throw new UserErrorException($"lr_scheduler_kwargs.{name}: found {node.ToJsonString()}, expected a single value."),
    };

    private static UserErrorException Wrong(string name, JsonValue value, string expected) =>
        new($"lr_scheduler_kwargs.{name}: found {value.ToJsonString()}, expected {expected}.");
}
