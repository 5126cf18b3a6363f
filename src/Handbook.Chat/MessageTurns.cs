using Handbook.Templates;
using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>Which stretch of a rendered conversation each message wrote.</summary>
internal static class MessageTurns
{
    /// <summary>
    /// The turns with their messages' places, in order of the text. A template that first merges neighbours of one role
    /// writes messages of its own making; those are matched in order with the runs of equal roles they were made of.
    /// </summary>
    public static IReadOnlyList<RenderedTurn> Of(IReadOnlyList<Message> messages, RenderedTemplate rendered)
    {
        if (rendered.Turns.All(turn => turn.Message >= 0))
            return rendered.Turns;
        var turns = new List<RenderedTurn>();
        var next = 0;
        foreach (var turn in rendered.Turns)
        {
            var at = turn.Message >= 0 ? turn.Message : FirstOfRole(messages, next, turn.Role);
            if (at < 0)
                return [];
            turns.Add(turn with { Message = at });
            next = at + 1;
            if (turn.Message < 0 && turn.Role != "tool")
            {
                while (next < messages.Count && (messages[next].Role == turn.Role || messages[next].Role == "system"))
                    next++;
            }
        }
        return turns;
    }

    private static int FirstOfRole(IReadOnlyList<Message> messages, int from, string role)
    {
        for (var i = from; i < messages.Count; i++)
        {
            if (messages[i].Role == role || messages[i].GivenRole == role)
                return i;
        }
        return -1;
    }

    /// <summary>For each token the message it belongs to; -1 for what no message wrote.</summary>
    public static int[] OfTokens(IReadOnlyList<RenderedTurn> turns, IReadOnlyList<TextRange> offsets)
    {
        var messages = new int[offsets.Count];
        var turn = 0;
        for (var i = 0; i < messages.Length; i++)
        {
            messages[i] = -1;
            if (offsets[i].Length == 0)
                continue;
            while (turn < turns.Count && turns[turn].Range.End <= offsets[i].Start)
                turn++;
            if (turn < turns.Count && turns[turn].Range.Start < offsets[i].End)
                messages[i] = turns[turn].Message;
        }
        return messages;
    }
}
