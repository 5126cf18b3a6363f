using Handbook.Text.Tokenizers;

namespace Handbook.Text.Conversations.Inspection;

/// <summary>Turns tokenized examples into what a person looks at.</summary>
/// <param name="tokenizer">The tokenizer that made them.</param>
public sealed class ExampleInspector(Tokenizer tokenizer)
{
    private readonly SpecialTokenRules _special = new(tokenizer);

    /// <summary>A conversation or text with its messages.</summary>
    /// <param name="name">Where it stands.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="messages">Its messages; empty for plain text.</param>
    public InspectedExample Sequence(string name, TokenizedConversation tokens, IReadOnlyList<Message> messages)
    {
        var inspected = new InspectedToken[tokens.Count];
        for (var i = 0; i < inspected.Length; i++)
        {
            var id = tokens.Ids[i];
            inspected[i] = new InspectedToken(id, TextOf(tokens, i), tokens.MessageIndex[i], tokens.LossMask[i], tokenizer.IsSpecial(id));
        }
        return new InspectedExample(
            name, [.. messages.Select(message => message.Role)], [new InspectedPart("sequence", inspected)], [.. LabelChecks.Problems(tokens, tokenizer, _special)]);
    }

    /// <summary>An example of which only ids are left: a sequence, a prompt with its completion, or a pair.</summary>
    /// <param name="name">Where it stands.</param>
    /// <param name="parts">One part: a sequence; two: prompt and completion; three: prompt, chosen and rejected.</param>
    /// <param name="lossMask">Labels of a sequence; null for the others, whose answers are labels as a whole.</param>
    public InspectedExample Encoded(string name, IReadOnlyList<int[]> parts, bool[]? lossMask)
    {
        string[] titles = parts.Count switch { 1 => ["sequence"], 2 => ["prompt", "completion"], _ => ["prompt", "chosen", "rejected"] };
        var problems = new List<string>();
        var inspected = new List<InspectedPart>();
        for (var i = 0; i < parts.Count; i++)
        {
            var mask = lossMask ?? Enumerable.Repeat(i > 0, parts[i].Length).ToArray();
            inspected.Add(new InspectedPart(titles[i], Tokens(parts[i], mask)));
            if (parts.Count > 1 && i == 0)
                continue;
            if (!mask.Contains(true))
                problems.Add($"{titles[i]} has no label, so nothing is learned from it");
            else if (mask[^1] && !_special.EndsTurn(parts[i]))
                problems.Add($"{titles[i]} has no end-of-turn token, so the model would not learn to stop");
        }
        return new InspectedExample(name, [], inspected, problems);
    }

    /// <summary>Ids alone: each token's text is what it adds to the text of its predecessor.</summary>
    private InspectedToken[] Tokens(int[] ids, bool[] mask)
    {
        var tokens = new InspectedToken[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            var before = i == 0 ? "" : tokenizer.Decode(ids.AsSpan(i - 1, 1), skipSpecialTokens: false);
            var both = i == 0 ? tokenizer.Decode(ids.AsSpan(0, 1), skipSpecialTokens: false) : tokenizer.Decode(ids.AsSpan(i - 1, 2), skipSpecialTokens: false);
            var text = both.StartsWith(before, StringComparison.Ordinal) ? both[before.Length..] : both;
            if (text.Length == 0 || text.Contains('\uFFFD', StringComparison.Ordinal))
                text = tokenizer.IdToToken(ids[i]) ?? "";
            tokens[i] = new InspectedToken(ids[i], text, -1, mask[i], tokenizer.IsSpecial(ids[i]));
        }
        return tokens;
    }

    private string TextOf(TokenizedConversation tokens, int i)
    {
        var range = tokens.Offsets[i];
        var isPiece = (i > 0 && tokens.Offsets[i - 1] == range) || (i + 1 < tokens.Count && tokens.Offsets[i + 1] == range);
        return range.Length == 0 || isPiece ? tokenizer.IdToToken(tokens.Ids[i]) ?? "" : tokens.Text[range.Start..range.End];
    }
}
