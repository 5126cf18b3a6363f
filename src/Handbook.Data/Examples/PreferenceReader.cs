using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Sources;

namespace Handbook.Data.Examples;

/// <summary>
/// Reads preference rows. Where there is no usable prompt it is what both completions begin with: the longest common prefix of
/// messages (or of characters, for plain text), as TRL's <c>maybe_extract_prompt</c> takes it.
/// </summary>
internal static class PreferenceReader
{
    /// <summary>Reads one row that has chosen and rejected and, perhaps, a <c>margin</c>.</summary>
    /// <exception cref="BadRowException">The sides do not go together, or are the same.</exception>
    public static PreferenceExample Read(RowColumns row, RowPlace place) => Sides(row, place) with { Margin = Margin(row, place) };

    private static double? Margin(RowColumns row, RowPlace place)
    {
        if (!row.TryGet("margin", out var value))
            return null;
        return value.ValueKind == JsonValueKind.Number ? value.GetDouble()
            : throw new BadRowException(place, "margin", "expected a number: by how much chosen is better");
    }

    private static PreferenceExample Sides(RowColumns row, RowPlace place)
    {
        var chosen = ExampleReader.Side(row, place, "chosen");
        var rejected = ExampleReader.Side(row, place, "rejected");
        if ((chosen.Messages is null) != (rejected.Messages is null))
            throw new BadRowException(place, "rejected", "one of chosen and rejected is a text, the other messages");
        var promptColumn = row.TryGet("prompt", out _) ? "prompt" : row.TryGet("conversations", out _) ? "conversations" : null;
        var prompt = promptColumn is null ? null : ExampleReader.Side(row, place, promptColumn);
        // A plain prompt beside whole conversations only repeats the first user turn, as in UltraFeedback.
        if (prompt is not null && (prompt.Messages is null) == (chosen.Messages is null))
            return new PreferenceExample(prompt, chosen, rejected) { Place = place };
        return chosen.Messages is null
            ? SplitText(chosen.Text!, rejected.Text!, place) : SplitMessages(chosen.Messages, rejected.Messages!, place);
    }

    private static PreferenceExample SplitMessages(IReadOnlyList<Message> chosen, IReadOnlyList<Message> rejected, RowPlace place)
    {
        var common = 0;
        while (common < Math.Min(chosen.Count, rejected.Count) && AreEqual(chosen[common], rejected[common]))
            common++;
        // Equal completions, or one that continues the other: the last message of the shorter is the completion.
        common = Math.Min(common, Math.Min(chosen.Count, rejected.Count) - 1);
        if (common == 0)
            throw new BadRowException(place, "chosen",
                "chosen and rejected have no message in common that could be the prompt, and there is no prompt column");
        return new PreferenceExample(Turns.Of([.. chosen.Take(common)]), Turns.Of([.. chosen.Skip(common)]),
            Turns.Of([.. rejected.Skip(common)])) { Place = place };
    }

    private static PreferenceExample SplitText(string chosen, string rejected, RowPlace place)
    {
        var common = chosen.AsSpan().CommonPrefixLength(rejected);
        if (common == Math.Min(chosen.Length, rejected.Length))
            throw new BadRowException(place, "rejected",
                "one of chosen and rejected is the beginning of the other: nothing tells the prompt from the answers");
        if (common > 0 && chosen[common - 1] == ' ')
            common--;
        if (common > 0 && char.IsHighSurrogate(chosen[common - 1]))
            common--;
        if (common == 0)
            throw new BadRowException(place, "chosen",
                "chosen and rejected have no beginning in common that could be the prompt, and there is no prompt column");
        return new PreferenceExample(Turns.Of(chosen[..common]), Turns.Of(chosen[common..]), Turns.Of(rejected[common..]))
        {
            Place = place,
        };
    }

    private static bool AreEqual(Message a, Message b) =>
        a.Role == b.Role && a.Content == b.Content && JsonNode.DeepEquals(a.Extra, b.Extra);
}
