using Handbook.Text.Tokenizers;

namespace Handbook.Text.Conversations.Inspection;

/// <summary>Turns tokenized examples into what a person looks at.</summary>
/// <param name="tokenizer">The tokenizer that made them.</param>
public sealed class ExampleInspector(Tokenizer tokenizer)
{
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
            name, [.. messages.Select(message => message.Role)], [new InspectedPart("sequence", inspected)], [.. LabelChecks.Problems(tokens, tokenizer)]);
    }

    /// <summary>A preference pair.</summary>
    public InspectedExample Pair(string name, TokenizedPair pair) =>
        Parts(name, ("prompt", pair.Prompt, false), ("chosen", pair.Chosen, true), ("rejected", pair.Rejected, true));

    /// <summary>A prompt with its completion.</summary>
    public InspectedExample Completion(string name, TokenizedCompletion completion) =>
        Parts(name, ("prompt", completion.Prompt, false), ("completion", completion.Completion, true));

    private InspectedExample Parts(string name, params (string Title, int[] Ids, bool AreLabels)[] parts)
    {
        var problems = new List<string>();
        foreach (var (title, ids, areLabels) in parts)
        {
            if (areLabels && ids.Length == 0)
                problems.Add($"{title} has no token, so nothing is learned from it");
            else if (areLabels && !new SpecialTokenRules(tokenizer).EndsTurn(ids))
                problems.Add($"{title} has no end-of-turn token, so the model would not learn to stop");
        }
        return new InspectedExample(name, [], [.. parts.Select(part => new InspectedPart(part.Title, Tokens(part.Ids, part.AreLabels)))], problems);
    }

    /// <summary>Ids alone: each token's text is what it adds to the text of its predecessor.</summary>
    private InspectedToken[] Tokens(int[] ids, bool areLabels)
    {
        var tokens = new InspectedToken[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            var before = i == 0 ? "" : tokenizer.Decode(ids.AsSpan(i - 1, 1), skipSpecialTokens: false);
            var both = i == 0 ? tokenizer.Decode(ids.AsSpan(0, 1), skipSpecialTokens: false) : tokenizer.Decode(ids.AsSpan(i - 1, 2), skipSpecialTokens: false);
            var text = both.StartsWith(before, StringComparison.Ordinal) ? both[before.Length..] : both;
            if (text.Length == 0 || text.Contains('\uFFFD', StringComparison.Ordinal))
                text = tokenizer.IdToToken(ids[i]) ?? "";
            tokens[i] = new InspectedToken(ids[i], text, -1, areLabels, tokenizer.IsSpecial(ids[i]));
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
