using System.Text.Json;

namespace Handbook.Tokenizers.Tests;

/// <summary>Every case of the golden vectors, made by Hugging Face's own library (its node binding, see the folder's README).</summary>
[Trait("Category", "Golden")]
public sealed class GoldenTokenizerTests
{
    public static TheoryData<string> Families => [.. GoldenFamilies.Names];

    [Theory]
    [MemberData(nameof(Families))]
    public void Encode_GoldenCase_GivesReferenceIds(string family) => ForEachCase(family, (tokenizer, text, golden) =>
    {
        Same(Ints(golden, "ids"), tokenizer.Encode(text, addSpecialTokens: false).Ids);
        var special = tokenizer.Encode(text, addSpecialTokens: true);
        Same(Ints(golden, "ids_special"), special.Ids);
        if (golden.TryGetProperty("special_tokens_mask", out _))
            Same(Ints(golden, "special_tokens_mask"), Array.ConvertAll(special.IsAdded, added => added ? 1 : 0));
    });

    [Theory]
    [MemberData(nameof(Families))]
    public void Encode_GoldenCase_GivesReferenceOffsets(string family) => ForEachCase(family, (tokenizer, text, golden) =>
    {
        var offsets = tokenizer.Encode(text, addSpecialTokens: false).OffsetsInCodePoints();
        Same(Ints(golden, "offsets"), offsets.SelectMany(range => new[] { range.Start, range.End }).ToArray());
    });

    [Theory]
    [MemberData(nameof(Families))]
    public void Decode_GoldenCase_GivesReferenceText(string family) => ForEachCase(family, (tokenizer, _, golden) =>
    {
        var ids = Ints(golden, "ids");
        Same(golden.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecialTokens: false));
        Same(golden.GetProperty("decoded_skip").GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
        if (golden.TryGetProperty("decoded_special", out var special))
            Same(special.GetString(), tokenizer.Decode(Ints(golden, "ids_special"), skipSpecialTokens: false));
    });

    /// <summary>Runs all cases and reports every one that fails, not only the first.</summary>
    private static void ForEachCase(string family, Action<Tokenizer, string, JsonElement> check)
    {
        var tokenizer = GoldenFamilies.Load(family);
        var (failures, count) = (new List<string>(), 0);
        foreach (var golden in GoldenFamilies.Cases(family))
        {
            count++;
            try
            {
                check(tokenizer, golden.GetProperty("text").GetString()!, golden);
            }
            catch (Xunit.Sdk.XunitException exception)
            {
                failures.Add($"{golden.GetProperty("id").GetString()} {golden.GetProperty("text").GetRawText()}: {exception.Message}");
            }
        }
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} cases fail:\n{string.Join('\n', failures.Take(5))}");
        Assert.NotEqual(0, count);
    }

    private static void Same<T>(T expected, T actual) => Assert.Equal(expected, actual);

    private static void Same(int[] expected, int[] actual) =>
        Assert.True(expected.AsSpan().SequenceEqual(actual),
            $"expected [{string.Join(',', expected)}]\n     got [{string.Join(',', actual)}]");

    private static int[] Ints(JsonElement golden, string key) =>
        golden.GetProperty(key).EnumerateArray().Select(value => value.GetInt32()).ToArray();
}
