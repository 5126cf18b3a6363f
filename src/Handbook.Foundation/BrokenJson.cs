using System.Text.Json;

namespace Handbook;

/// <summary>What reading a JSON document of known form can end with when it has another form.</summary>
public static class BrokenJson
{
    /// <summary>
    /// True for every exception that System.Text.Json and the taking of values out of it throw: no JSON, a missing or repeated key, a
    /// value of another type, a number out of range, half a surrogate pair.
    /// </summary>
    public static bool Caused(Exception error) => error is JsonException or InvalidOperationException or FormatException or NullReferenceException
        or KeyNotFoundException or ArgumentException or OverflowException;
}
