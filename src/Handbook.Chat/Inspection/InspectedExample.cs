namespace Handbook.Chat.Inspection;

/// <summary>A token as a person sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text; for a piece of a character what the tokenizer calls it.</param>
/// <param name="Message">The message it belongs to, from 0; -1 for what no message wrote.</param>
/// <param name="IsLabel">True where it counts in the loss.</param>
/// <param name="IsSpecial">True for a special or added token.</param>
/// <param name="IsCut">True where it stands in no row, since the example is longer than one.</param>
public sealed record InspectedToken(int Id, string Text, int Message, bool IsLabel, bool IsSpecial, bool IsCut = false);

/// <summary>A run of tokens: a whole sequence, or a prompt, or a completion.</summary>
/// <param name="Title">What it is: <c>sequence</c>, <c>prompt</c>, <c>chosen</c> ...</param>
/// <param name="Tokens">Its tokens in order.</param>
public sealed record InspectedPart(string Title, IReadOnlyList<InspectedToken> Tokens)
{
    private const int ShownFirst = 2000;
    private const int ShownLast = 400;

    /// <summary>Number of tokens that count in the loss.</summary>
    public int LabelCount => Tokens.Count(token => token.IsLabel);

    /// <summary>The middle of a part too long to look at, which is not shown; from and behind, both 0 where all is.</summary>
    public (int From, int Behind) Gap => Tokens.Count > ShownFirst + (2 * ShownLast) ? (ShownFirst, Tokens.Count - ShownLast) : (0, 0);
}

/// <summary>An example with everything that can be said about its tokens.</summary>
/// <param name="Name">Where it stands, such as <c>train.jsonl:12</c>.</param>
/// <param name="Roles">Roles of its messages, for the legend; empty for plain text.</param>
/// <param name="Parts">Its parts in order.</param>
/// <param name="Problems">What is wrong with it; empty when all is well.</param>
public sealed record InspectedExample(
    string Name, IReadOnlyList<string> Roles, IReadOnlyList<InspectedPart> Parts, IReadOnlyList<string> Problems)
{
    /// <summary>Number of tokens.</summary>
    public int TokenCount => Parts.Sum(part => part.Tokens.Count);

    /// <summary>Number of tokens that count in the loss.</summary>
    public int LabelCount => Parts.Sum(part => part.LabelCount);
}
