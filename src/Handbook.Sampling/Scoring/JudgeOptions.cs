using Handbook.Sampling.Endpoints;

namespace Handbook.Sampling.Scoring;

/// <summary>A model behind an endpoint that rates completions.</summary>
public sealed record JudgeOptions
{
    /// <summary>
    /// The question put to the judge. <c>{prompt}</c> is the conversation, <c>{answer}</c> the completion, and any other name in
    /// braces that is a column of the row its value.
    /// </summary>
    public const string DefaultTemplate =
        "You are an impartial judge. Rate how well the answer below serves the user who asked: whether it is right, helpful, harmless, "
        + "complete and no longer than it needs to be. Do not let its length alone sway you.\n"
        + """

        [Conversation]
        {prompt}

        [Answer to rate]
        {answer}

        [End]
        Explain in one or two sentences, then give a rating from {min_score} to {max_score} in exactly this form: Rating: [[N]]
        """;

    /// <summary>
    /// The question put to the judge of pairs. <c>{answer_a}</c> and <c>{answer_b}</c> are the two completions, the rest as in
    /// <see cref="DefaultTemplate"/>.
    /// </summary>
    public const string DefaultPairTemplate =
        "You are an impartial judge. Decide which of the two answers below serves the user who asked better: whether it is right, helpful, "
        + "harmless, complete and no longer than it needs to be. Neither the order of the answers nor their length alone may sway you.\n"
        + """

        [Conversation]
        {prompt}

        [Answer A]
        {answer_a}

        [Answer B]
        {answer_b}

        [End]

        """
        + "Explain in one or two sentences, then give your verdict in exactly this form: [[A]] if A is better, [[B]] if B is better, "
        + "[[C]] for a tie.";

    /// <summary>Where it is.</summary>
    public required EndpointOptions Endpoint { get; init; }

    /// <summary>See <see cref="DefaultTemplate"/>.</summary>
    public string Template { get; init; } = DefaultTemplate;

    /// <summary>See <see cref="DefaultPairTemplate"/>.</summary>
    public string PairTemplate { get; init; } = DefaultPairTemplate;

    /// <summary>The lowest rating.</summary>
    public double MinScore { get; init; } = 1;

    /// <summary>The highest rating.</summary>
    public double MaxScore { get; init; } = 10;

    /// <summary>The most tokens that the judge may say.</summary>
    public int MaxNewTokens { get; init; } = 512;
}
