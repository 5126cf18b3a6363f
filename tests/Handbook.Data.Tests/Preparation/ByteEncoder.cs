using System.Text;
using Handbook.Data.Examples;
using Handbook.Data.Preparation;
using Handbook.Data.Store;

namespace Handbook.Data.Tests.Preparation;

/// <summary>
/// Encodes every UTF-8 byte as a token, so that tests see what becomes of data without a tokenizer: labels are what the
/// assistant says, 256 ends a turn.
/// </summary>
internal sealed class ByteEncoder(StoreKind kind = StoreKind.Sequences) : IExampleEncoder
{
    public const int EndOfTurn = 256;

    public StoreKind Kind => kind;

    public string Fingerprint => $"bytes {kind}";

    public string? Refuses(ExampleShape shape) => null;

    public EncodedExample? Encode(Example example) => example switch
    {
        TextExample text => All(text.Text),
        ConversationExample conversation => Conversation(conversation),
        CompletionExample completion => Masked([(completion.Prompt.PlainText, false), (completion.Completion.PlainText, true)]),
        PreferenceExample pair => EncodedExample.Pair(Ids(pair.Prompt.PlainText), Ids(pair.Chosen.PlainText), Ids(pair.Rejected.PlainText)),
        VerdictExample verdict =>
            EncodedExample.Verdict(Ids(verdict.Prompt.PlainText), Ids(verdict.Completion.PlainText), verdict.Desirable),
        TokenizedExample tokens => EncodedExample.Sequence(tokens.TokenIds, tokens.LossMask),
        _ => throw new InvalidOperationException(example.ToString()),
    };

    private static EncodedExample All(string text) => Masked([(text, true)]);

    private static EncodedExample Conversation(ConversationExample conversation) =>
        Masked([.. conversation.Messages.Select(message => ($"{message.Role}:{message.Content}{message.Extra?.ToJsonString()}",
            message.Role == "assistant"))]);

    private static EncodedExample Masked((string Text, bool IsLabel)[] parts)
    {
        var (ids, mask) = (new List<int>(), new List<bool>());
        foreach (var (text, isLabel) in parts)
        {
            ids.AddRange(Ids(text));
            mask.AddRange(Enumerable.Repeat(isLabel, ids.Count - mask.Count));
        }
        return EncodedExample.Sequence([.. ids], [.. mask], parts.Sum(part => part.Text.Length));
    }

    private static int[] Ids(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b), EndOfTurn];
}
