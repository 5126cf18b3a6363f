using System.Text.Json;

namespace Handbook.Sampling.Endpoints;

/// <summary>What a server says went wrong.</summary>
/// <param name="Reason">In its words; empty when it gives none.</param>
/// <param name="Code">Its names for it (<c>code</c> and <c>type</c>), in lower case, such as <c>insufficient_quota</c>.</param>
/// <param name="Parameter">The setting that it does not take, where it names one.</param>
/// <param name="Status">The HTTP status that it gives inside its reply, which gateways send under 200.</param>
/// <param name="IsFlagged">Whether a filter of content stopped this prompt.</param>
internal sealed record ServerFault(string Reason, string Code, string? Parameter, int? Status, bool IsFlagged)
{
    private static readonly string[] Filters = ["content_filter", "content_policy", "moderation", "flagged", "responsibleai", "safety"];

    /// <summary>A fault inside the reply, be it under 200 or not; null when the reply holds none.</summary>
    public static ServerFault? Find(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return null;
        if (ReplyReader.Member(root, "error") is { ValueKind: not JsonValueKind.False } error)
            return error.ValueKind == JsonValueKind.Object ? Of(error) : Of(root) with { Reason = Words(error) };
        if (ReplyReader.Member(root, "choices") is { ValueKind: JsonValueKind.Array } choices)
            return choices.GetArrayLength() > 0 && ReplyReader.Member(choices[0], "error") is { ValueKind: JsonValueKind.Object } inner
                ? Of(inner) : null;
        return Words(ReplyReader.Member(root, "message")
                ?? ReplyReader.Member(root, "detail") ?? ReplyReader.Member(root, "errors")) is { Length: > 0 } words
            ? Of(root) with { Reason = words } : null;
    }

    /// <summary>The fault of a body that is no JSON: its first line.</summary>
    public static ServerFault Of(string text) => new(text, "", null, null, false);

    /// <summary>Whether it says that it does not know or take a setting.</summary>
    public bool Refuses(string name) =>
        Parameter is { } parameter ? parameter == name && IsAboutSupport
        : Code.Contains("param_" + name, StringComparison.Ordinal) || (Names(name) && IsAboutSupport);

    private bool IsAboutSupport => new[]
    {
        "unsupported", "not support", "unknown", "unrecogni", "not permitted", "not allowed", "only the default", "deprecated",
        "extra_forbidden", "extra fields",
        "unexpected", "no longer", "strictly positive",
    }.Any(sign => Reason.Contains(sign, StringComparison.OrdinalIgnoreCase) || Code.Contains(sign, StringComparison.Ordinal));

    private bool Names(string name)
    {
        for (var at = Reason.IndexOf(name, StringComparison.Ordinal); at >= 0; at = Reason.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            if ((at == 0 || !IsOfName(Reason[at - 1])) && (at + name.Length == Reason.Length || !IsOfName(Reason[at + name.Length])))
                return true;
        }
        return false;
    }

    private static bool IsOfName(char letter) => char.IsAsciiLetterOrDigit(letter) || letter == '_';

    private static ServerFault Of(JsonElement error)
    {
        var code = string.Join(' ', new[] { "code", "type", "error_type" }.Select(name => ReplyReader.Member(error, name))
            .Where(value => value is { ValueKind: JsonValueKind.String }).Select(value => value!.Value.GetString()!.ToLowerInvariant()));
        var reason = Words(ReplyReader.Member(error, "message") ?? ReplyReader.Member(error, "detail") ?? ReplyReader.Member(error, "msg"));
        var metadata = ReplyReader.Member(error, "metadata");
        // OpenRouter tells what the model's own server said beside its own "Provider returned error".
        var raw = metadata is { } more && ReplyReader.Member(more, "raw") is { ValueKind: JsonValueKind.String } inner
            ? inner.GetString() : null;
        return new ServerFault(
            raw is null ? reason : $"{reason}: {raw}", code,
            ReplyReader.Member(error, "param") is { ValueKind: JsonValueKind.String } name ? name.GetString() : null,
            ReplyReader.Member(error, "code") is { } number && StatusOf(number) is { } status ? status
                : ReplyReader.Member(error, "status") is { } second ? StatusOf(second) : null,
            metadata is { } data && ReplyReader.Member(data, "reasons") is not null
                || Filters.Any(filter => code.Contains(filter, StringComparison.Ordinal)));
    }

    private static int? StatusOf(JsonElement value) =>
        (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            || value.ValueKind == JsonValueKind.String
                && int.TryParse(value.GetString(), System.Globalization.CultureInfo.InvariantCulture, out number))
        && number is >= 400 and < 600 ? number : null;

    /// <summary>The words of a text, of an object with a message, or of the first entry of a list with the place it is about.</summary>
    private static string Words(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() > 0 => Words(list[0]),
        { ValueKind: JsonValueKind.Object } json => (Place(json) is { } place ? place + ": " : "")
            + Words(ReplyReader.Member(json, "message") ?? ReplyReader.Member(json, "msg"))
            + (ReplyReader.Member(json, "type") is { ValueKind: JsonValueKind.String } type && Place(json) is not null
                ? $" ({type.GetString()})" : ""),
        { } other => other.GetRawText(),
        null => "",
    };

    private static string? Place(JsonElement json) =>
        ReplyReader.Member(json, "loc") is { ValueKind: JsonValueKind.Array } path
            ? string.Join('.', path.EnumerateArray().Select(step => step.ToString())) : null;
}
