using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Recipes.Yaml;
using Handbook.TestSupport;

namespace Handbook.Recipes.Tests.Yaml;

[Trait("Category", "Golden")]
public class GoldenYamlTests
{
    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var file in SharedFolders.GoldenFiles("yaml", "*.jsonl"))
        {
            foreach (var line in File.ReadLines(file).Where(line => line.Length > 0))
                cases.Add(JsonNode.Parse(line)!["id"]!.GetValue<string>(), line);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Read_GoldenCase_EqualsSafeLoad(string id, string line)
    {
        using var document = JsonDocument.Parse(line);
        var yaml = document.RootElement.GetProperty("yaml").GetString()!;
        if (document.RootElement.TryGetProperty("error", out _))
        {
            var problem = Assert.Throws<UserErrorException>(() => YamlReader.Read(yaml, id));
            Assert.Matches($@"^{id}:\d+:\d+: ", problem.Message);
            return;
        }
        AssertEqual(document.RootElement.GetProperty("value"), YamlReader.Read(yaml, id), id);
    }

    internal static void AssertEqual(JsonElement expected, YamlValue actual, string path)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Null:
                Assert.IsType<YamlNull>(actual);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                Assert.True(actual is YamlBoolean boolean && boolean.Value == expected.GetBoolean(), path);
                break;
            case JsonValueKind.String:
                Assert.Equal(expected.GetString(), Assert.IsType<YamlString>(actual).Value);
                break;
            case JsonValueKind.Number when expected.GetRawText().AsSpan().IndexOfAny(".eE") >= 0:
                Assert.Equal(expected.GetDouble(), Assert.IsType<YamlFloat>(actual).Value);
                break;
            case JsonValueKind.Number:
                Assert.Equal(expected.GetRawText(), Assert.IsType<YamlInteger>(actual).Value.ToString(CultureInfo.InvariantCulture));
                break;
            case JsonValueKind.Array:
                var items = Assert.IsType<YamlSequence>(actual).Items;
                Assert.Equal(expected.GetArrayLength(), items.Count);
                foreach (var (index, item) in expected.EnumerateArray().Index())
                    AssertEqual(item, items[index], $"{path}[{index}]");
                break;
            default:
                AssertObject(expected, actual, path);
                break;
        }
    }

    private static void AssertObject(JsonElement expected, YamlValue actual, string path)
    {
        if (expected.TryGetProperty("__float__", out var number))
            Assert.Equal(number.GetString(),
                Assert.IsType<YamlFloat>(actual).Value switch
                {
                    double.PositiveInfinity => "inf",
                    double.NegativeInfinity => "-inf",
                    _ => "nan",
                });
        else if (expected.TryGetProperty("__date__", out var date))
            Assert.Equal(date.GetString(), Assert.IsType<YamlTimestamp>(actual).Iso);
        else if (expected.TryGetProperty("__datetime__", out var moment))
            Assert.Equal(moment.GetString(), Assert.IsType<YamlTimestamp>(actual).Iso);
        else if (expected.TryGetProperty("__bytes__", out var bytes))
            Assert.Equal(bytes.GetBytesFromBase64(), Assert.IsType<YamlBinary>(actual).Value);
        else if (expected.TryGetProperty("__set__", out var members))
            AssertEqual(members, new YamlSequence(Assert.IsType<YamlSet>(actual).Items, actual.Position), path);
        else if (expected.TryGetProperty("__map__", out var pairs))
            AssertPairs([.. pairs.EnumerateArray().Select(pair => (pair[0], pair[1]))], Assert.IsType<YamlMapping>(actual), path);
        else
        {
            var entries = Assert.IsType<YamlMapping>(actual).Entries;
            Assert.Equal(expected.EnumerateObject().Select(property => property.Name),
                entries.Select(entry => Assert.IsType<YamlString>(entry.Key).Value));
            foreach (var (index, property) in expected.EnumerateObject().Index())
                AssertEqual(property.Value, entries[index].Value, $"{path}.{property.Name}");
        }
    }

    private static void AssertPairs((JsonElement Key, JsonElement Value)[] pairs, YamlMapping actual, string path)
    {
        Assert.Equal(pairs.Length, actual.Entries.Count);
        foreach (var (index, pair) in pairs.Index())
        {
            AssertEqual(pair.Key, actual.Entries[index].Key, path);
            AssertEqual(pair.Value, actual.Entries[index].Value, $"{path}[{index}]");
        }
    }
}
