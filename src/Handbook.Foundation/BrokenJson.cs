using System.Globalization;
using System.Text.Json;

namespace Handbook;

/// <summary>What reading a JSON document of known form can end with when it has another form.</summary>
public static class BrokenJson
{
    // What the reader says in words of its own: how each message begins, and the same for who wrote the file.
    private static readonly (string Begins, string Words)[] Translations =
    [
        ("The input does not contain any JSON tokens", "there is nothing but blanks"),
        ("Expected depth to be zero at the end", "the text ends inside an object or a list"),
        ("Expected a value, but instead reached end of data", "the text ends where a value is expected"),
        ("Expected start of a property name or value, but instead reached end of data", "the text ends where a key or a value is expected"),
        ("Expected end of string, but instead reached end of data", "the text ends inside quotes"),
        ("Expected a digit ('0'-'9'), but instead reached end of data", "the text ends inside a number"),
        ("The JSON object contains a trailing comma", "nothing follows the comma before '}'"),
        ("The JSON array contains a trailing comma", "nothing follows the comma before ']'"),
        ("The maximum configured depth of ", "objects and lists are nested too deep"),
        ("Invalid leading zero", "a number begins with a zero that means nothing"),
    ];

    // Parts of its other messages, which are in order otherwise.
    private static readonly (string From, string To)[] Parts =
    [
        (" is invalid within a JSON string. The string should be correctly escaped.", " stands between quotes, where it must be escaped"),
        (" is an invalid escapable character within a JSON string. The string should be correctly escaped.",
            " follows a backslash, where it means nothing"),
        (" is not a hex digit following '\\u' within a JSON string. The string should be correctly escaped.",
            " follows \\u, where four hexadecimal digits are expected"),
        (" is invalid after a single JSON value. Expected end of data.", " follows the end of the document"),
        (" is an invalid JSON literal. Expected the literal ", " is no value; expected "),
        (" is invalid without a matching open.", " closes what was not opened"),
        (" is an invalid end of a number. Expected a delimiter.", " stands inside a number"),
        (" Expected either ", " Expected "),
        (". Expected", "; expected"),
        ("'0x09'", "a tab"),
        ("'0x0A'", "a line break"),
        ("'0x0D'", "a line break"),
        ("'0xEF'", "a byte order mark"),
    ];

    /// <summary>
    /// True for every exception that System.Text.Json and the taking of values out of it throw: no JSON, a missing or repeated key, a
    /// value of another type, a number out of range, half a surrogate pair.
    /// </summary>
    public static bool Caused(
        Exception error) => error is JsonException or InvalidOperationException or FormatException or NullReferenceException
        or KeyNotFoundException or ArgumentException or OverflowException;

    /// <summary>
    /// What is wrong, for a person: <c>line 3, column 7: the text ends inside quotes</c>, columns counted in bytes; without a place where
    /// the exception knows none. No full stop at the end.
    /// </summary>
    /// <param name="error">An exception that <see cref="Caused"/> is true for.</param>
    public static string Explain(Exception error) => error switch
    {
        JsonException { LineNumber: { } line, BytePositionInLine: { } column } broken =>
            string.Create(CultureInfo.InvariantCulture, $"line {line + 1}, column {column + 1}: {Reason(broken)}"),
        JsonException broken => Reason(broken),
        InvalidOperationException when error.Message.Contains("UTF-16", StringComparison.Ordinal) =>
            "it holds a text that is no valid Unicode (half a surrogate pair)",
        // Our own complaints; what .NET throws of these types speaks of nodes, elements and references.
        FormatException when error.Source?.StartsWith("System.", StringComparison.Ordinal) != true => error.Message,
        _ => "a key is missing or has a value of another kind",
    };

    /// <summary>The reason alone, for whoever names the place in another way.</summary>
    public static string Reason(JsonException error)
    {
        var message = error.Message.ReplaceLineEndings(" ");
        var cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var reason = cut < 0 ? message : message[..cut];
        if (Array.Find(Translations, pair => reason.StartsWith(pair.Begins, StringComparison.Ordinal)) is { Words: { } words })
            return words;
        const string Repeated = "Duplicate property ";
        if (reason.StartsWith(Repeated, StringComparison.Ordinal))
            return $"the key {reason[Repeated.Length..].Replace(" encountered during deserialization.", "", StringComparison.Ordinal)} is "
                + "given twice in one object";
        return Parts.Aggregate(reason, (text, part) => text.Replace(part.From, part.To, StringComparison.Ordinal)).TrimEnd('.');
    }
}
