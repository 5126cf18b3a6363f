using System.Text.Json;

namespace Handbook.Tokenizers.Files;

/// <summary>A JSON object of a tokenizer file together with its path, so that every complaint names the key.</summary>
internal readonly struct JsonSection
{
    private readonly JsonElement _element;

    /// <summary>Takes an object.</summary>
    /// <exception cref="InvalidDataException">It is not an object.</exception>
    public JsonSection(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{(path.Length == 0 ? "the file" : path)} is {Describe(element)}, expected an object");
        _element = element;
        Path = path;
    }

    /// <summary>Where the object stands, such as <c>model</c> or <c>normalizer.normalizers[1]</c>.</summary>
    public string Path { get; }

    /// <summary>The object itself.</summary>
    public JsonElement Element => _element;

    /// <summary>Path of a key of this object.</summary>
    public string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>A value that may be absent or null.</summary>
    public JsonElement? Find(string key) =>
        _element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>An object that may be absent or null.</summary>
    public JsonSection? Section(string key) => Find(key) is { } value ? new JsonSection(value, PathOf(key)) : null;

    /// <summary>A required string.</summary>
    public string String(string key) => StringOrNull(key) ?? throw Missing(key, "a string");

    /// <summary>A string, or null when absent.</summary>
    public string? StringOrNull(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? Text(value, PathOf(key)) : throw Wrong(key, value, "a string");

    /// <summary>true or false.</summary>
    public bool Bool(string key, bool absent) => Find(key) is not { } value ? absent
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, value, "true or false");

    /// <summary>A whole number from 0 to 2^31 - 1.</summary>
    public int Int(string key, int? absent = null)
    {
        if (Find(key) is not { } value)
            return absent ?? throw Missing(key, "a number");
        return Number(value, PathOf(key));
    }

    /// <summary>The objects of a required list.</summary>
    public List<JsonSection> Sections(string key)
    {
        var path = PathOf(key);
        return List(key).Select((item, i) => new JsonSection(item, $"{path}[{i}]")).ToList();
    }

    /// <summary>The values of a required list.</summary>
    public JsonElement.ArrayEnumerator List(string key)
    {
        var value = Find(key) ?? throw Missing(key, "a list");
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Wrong(key, value, "a list");
    }

    /// <summary>One of the names of a table; <paramref name="absent"/> where the key is missing.</summary>
    public T Choice<T>(string key, IReadOnlyDictionary<string, T> names, T? absent = null) where T : struct
    {
        if (StringOrNull(key) is not { } name)
            return absent ?? throw Missing(key, $"one of {string.Join(", ", names.Keys)}");
        return names.TryGetValue(name, out var value) ? value
            : throw new InvalidDataException(
                $"{PathOf(key)} is \"{name}\", expected one of {string.Join(", ", names.Keys)}.{NearestName.Hint(name, names.Keys)}");
    }

    /// <summary>A whole number from 0 to 2^31 - 1.</summary>
    public static int Number(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 ? number
            : throw new InvalidDataException($"{path} is {Describe(value)}, expected a whole number from 0 to 2147483647");

    /// <summary>The text of a JSON string.</summary>
    public static string Text(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw new InvalidDataException($"{path} is {Describe(value)}, expected a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new InvalidDataException($"{path} is not valid Unicode (half a surrogate pair)");
        }
    }

    /// <summary>A value in words, short enough for one line.</summary>
    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.Null => "null",
        _ => value.GetRawText() is { Length: > 40 } text ? text[..37] + "..." : value.GetRawText(),
    };

    private InvalidDataException Missing(string key, string expected) => new($"{PathOf(key)} is missing, expected {expected}");

    private InvalidDataException Wrong(string key, JsonElement value, string expected) =>
        new($"{PathOf(key)} is {Describe(value)}, expected {expected}");
}
