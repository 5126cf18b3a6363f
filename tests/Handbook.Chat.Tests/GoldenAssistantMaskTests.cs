using System.Text;
using System.Text.Json.Nodes;
using Handbook.TestSupport;
using Handbook.Tokenizers;

namespace Handbook.Chat.Tests;

[Trait("Category", "Golden")]
public sealed class GoldenAssistantMaskTests
{
    public static TheoryData<string> Files() =>
    [
        .. SharedFolders.GoldenFiles("assistant_masks", "*.jsonl").Select(path => Path.GetFileName(path)!),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void OfGenerationSpans_EveryCase_EqualsTransformers(string file)
    {
        var tokenizers = new Dictionary<string, Tokenizer>(StringComparer.Ordinal);
        var failures = new StringBuilder();
        var line = 0;
        foreach (var entry in File.ReadLines(SharedFolders.Golden("assistant_masks", file))
            .Select(text => JsonNode.Parse(text)!.AsObject()))
        {
            line++;
            var name = entry["tokenizer"]!.GetValue<string>();
            if (!tokenizers.TryGetValue(name, out var tokenizer))
                tokenizers[name] = tokenizer = Tokenizer.Load(SharedFolders.Data("tokenizers", name));
            var text = entry["text"]!.GetValue<string>();
            var spans = entry["spans"]!.AsArray().Select(span => new TextRange(
                GoldenSpans.ToUnits(text, span![0]!.GetValue<int>()), GoldenSpans.ToUnits(text, span[1]!.GetValue<int>())));
            var tokens = tokenizer.Encode(text, addSpecialTokens: false);
            var mask = string.Concat(AssistantMask.OfGenerationSpans(tokens.Offsets, spans).Select(isLabel => isLabel ? '1' : '0'));
            if (!tokens.Ids.SequenceEqual(entry["ids"]!.AsArray().Select(id => id!.GetValue<int>())))
                failures.AppendLine($"line {line} ({name}): ids differ");
            if (mask != entry["assistant_mask"]!.GetValue<string>())
                failures.AppendLine($"line {line} ({name}): mask {mask}, expected {entry["assistant_mask"]}");
        }
        Assert.True(failures.Length == 0, failures.ToString());
    }
}
