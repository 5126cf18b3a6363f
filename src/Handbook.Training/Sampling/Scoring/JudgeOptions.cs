using Handbook.Training.Sampling.Endpoints;

namespace Handbook.Training.Sampling.Scoring;

/// <summary>A model behind an endpoint that rates answers.</summary>
public sealed record JudgeOptions
{
    /// <summary>
    /// The question put to the judge. <c>{prompt}</c> is the conversation, <c>{answer}</c> the answer, and any other name in
    /// braces that is a column of the row its value.
    /// </summary>
    public const string DefaultTemplate =
        """
        You are an impartial judge. Rate how well the answer below serves the user who asked: whether it is right, helpful, harmless, complete and no longer than it needs to be. Do not let its length alone sway you.

        [Conversation]
        {prompt}

        [Answer to rate]
        {answer}

        [End]
        Explain in one or two sentences, then give a rating from {min_score} to {max_score} in exactly this form: Rating: [[N]]
        """;

    /// <summary>Where it is.</summary>
    public required EndpointOptions Endpoint { get; init; }

    /// <summary>See <see cref="DefaultTemplate"/>.</summary>
    public string Template { get; init; } = DefaultTemplate;

    /// <summary>The lowest rating.</summary>
    public double MinScore { get; init; } = 1;

    /// <summary>The highest rating.</summary>
    public double MaxScore { get; init; } = 10;

    /// <summary>The most tokens that the judge may say.</summary>
    public int MaxNewTokens { get; init; } = 512;
}
