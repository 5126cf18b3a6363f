namespace Handbook.Models.Generation;

/// <summary>How tokens are chosen, with the meanings and the order of transformers' <c>GenerationConfig</c>.</summary>
public sealed record SamplingOptions
{
    /// <summary>The most probable token every time.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Logits are divided by it; 0 takes the most probable token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only so many of the most probable tokens can be drawn; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the most probable tokens that together reach this probability can be drawn (arXiv:1904.09751); 1 for all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens at least this share as probable as the most probable can be drawn (arXiv:2407.01082); 0 for all.</summary>
    public double MinP { get; init; }

    /// <summary>Logits of tokens that occurred are divided by it when positive, else multiplied (arXiv:1909.05858); 1 for none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Seed of the request; the n-th sample of a prompt draws from a stream of its own.</summary>
    public ulong Seed { get; init; }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="UserErrorException">A value is outside its range.</exception>
    public void Check()
    {
        if (!(Temperature >= 0))
            throw new UserErrorException($"temperature must be at least 0, got {Temperature}.");
        if (TopK < 0)
            throw new UserErrorException($"top_k must be at least 0, got {TopK}.");
        if (!(TopP is > 0 and <= 1))
            throw new UserErrorException($"top_p must lie above 0 and up to 1, got {TopP}.");
        if (!(MinP is >= 0 and <= 1))
            throw new UserErrorException($"min_p must lie from 0 to 1, got {MinP}.");
        if (!(RepetitionPenalty > 0))
            throw new UserErrorException($"repetition_penalty must be above 0, got {RepetitionPenalty}.");
    }
}
