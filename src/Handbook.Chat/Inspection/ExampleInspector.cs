using Handbook.Tokenizers;

namespace Handbook.Chat.Inspection;

/// <summary>Turns tokenized examples into what a person looks at.</summary>
/// <param name="tokenizer">The tokenizer that made them.</param>
public sealed class ExampleInspector(Tokenizer tokenizer)
{
    private readonly SpecialTokenRules _special = new(tokenizer);

    /// <summary>A conversation with its messages.</summary>
    /// <param name="name">Where it stands.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="messages">Its messages.</param>
    /// <param name="kept">Which tokens stand in a row; null for all.</param>
    public InspectedExample Sequence(string name, TokenizedConversation tokens, IReadOnlyList<Message> messages, bool[]? kept = null)
    {
        var inspected = new InspectedToken[tokens.Count];
        for (var i = 0; i < inspected.Length; i++)
        {
            var id = tokens.Ids[i];
            inspected[i] = new InspectedToken(id, TextOf(tokens, i), tokens.MessageIndex[i], tokens.LossMask[i],
                tokenizer.IsSpecial(id), kept?[i] == false);
        }
        return new InspectedExample(name, Roles(messages), [new InspectedPart("sequence", inspected)],
            Problems([tokens.Ids], tokens.LossMask));
    }

    /// <summary>An example of which ids are given: a sequence, a prompt with its completion, or a pair.</summary>
    /// <param name="name">Where it stands.</param>
    /// <param name="parts">One part: a sequence; two: prompt and completion; three: prompt, chosen and rejected.</param>
    /// <param name="lossMask">Labels of a sequence; null for the others, whose completions are labels as a whole.</param>
    /// <param name="sources">
    /// For each part the conversation it was cut from, tokenized whole, and its messages; none where there are no messages.
    /// A prompt has the first completion's.
    /// </param>
    /// <param name="kept">Which tokens of a sequence stand in a row; null for all.</param>
    public InspectedExample Encoded(
        string name, IReadOnlyList<int[]> parts, bool[]? lossMask,
        IReadOnlyList<(TokenizedConversation Tokens, IReadOnlyList<Message> Messages)> sources, bool[]? kept = null)
    {
        var titles = Titles(parts.Count);
        var inspected = new List<InspectedPart>();
        for (var i = 0; i < parts.Count; i++)
        {
            var mask = lossMask ?? Enumerable.Repeat(i > 0, parts[i].Length).ToArray();
            var message = sources.Count == 0 ? [] : MessagesOf(parts, i, sources[Math.Max(0, i - 1)].Tokens);
            inspected.Add(new InspectedPart(titles[i], Tokens(parts[i], mask, message, kept)));
        }
        return new InspectedExample(name, sources.Count == 0 ? [] : Roles(sources[0].Messages), inspected, Problems(parts, lossMask));
    }

    /// <summary>What is wrong with an example: no label, BOS twice, or no end of turn; empty when all is well.</summary>
    /// <param name="parts">As <see cref="Encoded"/> takes them.</param>
    /// <param name="lossMask">As <see cref="Encoded"/> takes it.</param>
    public IReadOnlyList<string> Problems(IReadOnlyList<int[]> parts, bool[]? lossMask)
    {
        var problems = new List<string>();
        if (tokenizer.BosId is { } bos && parts[0] is [var first, var second, ..] && first == bos && second == bos)
            problems.Add($"it begins with {tokenizer.Settings.BosToken} twice: the chat template and the tokenizer both write it");
        if (lossMask is not null && !lossMask.Contains(true))
            problems.Add("no token is a label, so nothing is learned from it");
        else if (lossMask is not null && lossMask[^1] && !_special.EndsTurn(parts[0]))
            problems.Add("its last turn has no end-of-turn token, so the model would not learn to stop");
        for (var i = 1; i < parts.Count; i++)
        {
            if (!_special.EndsTurn(parts[i]))
                problems.Add($"{Titles(parts.Count)[i]} has no end-of-turn token, so the model would not learn to stop");
        }
        return problems;
    }

    private static string[] Titles(int parts) => parts switch
    {
        1 => ["sequence"],
        2 => ["prompt", "completion"],
        _ => ["prompt", "chosen", "rejected"],
    };

    private static string[] Roles(IReadOnlyList<Message> messages) => [.. messages.Select(message => message.Role)];

    /// <summary>
    /// Messages of a part's tokens: prompt and completion are a stretch of the whole conversation's tokens, perhaps with BOS before
    /// and EOS behind. Where they are not (tokenized apart, or cut in the middle), only the completion's last message is known.
    /// </summary>
    private static int[] MessagesOf(IReadOnlyList<int[]> parts, int part, TokenizedConversation whole)
    {
        var prompt = parts[0];
        int[] both = [.. prompt, .. parts.Count > 1 ? parts[Math.Max(1, part)] : []];
        var messages = Enumerable.Repeat(-1, both.Length).ToArray();
        if (Align(both, whole.Ids) is { } shift)
        {
            for (var i = 0; i < both.Length; i++)
                messages[i] = i + shift >= 0 && i + shift < whole.Count ? whole.MessageIndex[i + shift] : -1;
        }
        else
        {
            messages.AsSpan(prompt.Length).Fill(whole.MessageIndex.DefaultIfEmpty(-1).Max());
        }
        return part == 0 ? messages[..prompt.Length] : messages[prompt.Length..];
    }

    /// <summary>
    /// How far a stretch of tokens lies in the whole, at most one token at each end aside; null where it is not in there.
    /// </summary>
    private static int? Align(ReadOnlySpan<int> stretch, ReadOnlySpan<int> whole)
    {
        foreach (var (skipFirst, skipLast) in ((int, int)[])[(0, 0), (1, 0), (0, 1), (1, 1)])
        {
            if (stretch.Length > skipFirst + skipLast && whole.IndexOf(stretch[skipFirst..^skipLast]) is >= 0 and var at)
                return at - skipFirst;
        }
        return null;
    }

    /// <summary>Each token's text is what it adds to the text of its predecessor.</summary>
    private InspectedToken[] Tokens(int[] ids, bool[] mask, int[] messages, bool[]? kept)
    {
        var tokens = new InspectedToken[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            var before = i == 0 ? "" : tokenizer.Decode(ids.AsSpan(i - 1, 1), skipSpecialTokens: false);
            var both = i == 0
                ? tokenizer.Decode(ids.AsSpan(0, 1), skipSpecialTokens: false)
                : tokenizer.Decode(ids.AsSpan(i - 1, 2), skipSpecialTokens: false);
            var text = both.StartsWith(before, StringComparison.Ordinal) ? both[before.Length..] : both;
            if (text.Length == 0 || text.Contains('\uFFFD', StringComparison.Ordinal))
                text = tokenizer.IdToToken(ids[i]) ?? "";
            tokens[i] = new InspectedToken(ids[i], text, messages.Length == 0 ? -1 : messages[i], mask[i],
                tokenizer.IsSpecial(ids[i]), kept?[i] == false);
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
