namespace Handbook.Models.Generation;

/// <summary>A completion that is growing.</summary>
internal sealed class Completion : IDisposable
{
    // A stop string can only have begun this many tokens before the newest, as tokens of ordinary text have a letter at least.
    private const int StopSlack = 16;

    private readonly GenerationRequest request;
    private readonly int number;
    private readonly int sample;
    private readonly TokenSampler sampler;
    private readonly IReadOnlyList<int> stopTokens;
    private readonly List<int> tokens = [];
    private readonly List<double> logps = [];

    internal Completion(GenerationRequest request, int number, int sample, CachedSequence cache, IReadOnlyList<int> stopTokens)
    {
        this.request = request;
        this.number = number;
        this.sample = sample;
        this.stopTokens = stopTokens;
        Cache = cache;
        sampler = new TokenSampler(request.Sampling, sample, request.Prompt);
    }

    internal CachedSequence Cache { get; }

    /// <summary>The token whose keys and values are not in the cache yet.</summary>
    internal int Newest => tokens[^1];

    /// <summary>Set when the completion has ended.</summary>
    internal GenerationResult? Result { get; private set; }

    /// <summary>Chooses the next token from logits, which are overwritten.</summary>
    internal void Grow(Span<float> logits)
    {
        var (token, logp) = sampler.Next(logits);
        if (stopTokens.Contains(token))
        {
            Result = End(FinishReason.StopToken) with { StopToken = token };
            return;
        }
        tokens.Add(token);
        logps.Add(logp);
        request.OnToken?.Invoke(sample, token);
        if (StopStringAtEnd() is { } stop)
            Result = End(FinishReason.StopString) with { StopString = stop };
        else if (tokens.Count >= request.MaxNewTokens)
            Result = End(FinishReason.Length);
    }

    public void Dispose() => Cache.Dispose();

    private GenerationResult End(FinishReason reason) => new(number, sample, tokens, logps, reason);

    private string? StopStringAtEnd()
    {
        if (request.StopStrings.Count == 0)
            return null;
        var window = request.StopStrings.Max(stop => stop.Length) + StopSlack;
        var text = request.Decode!(tokens.Count <= window ? tokens : tokens.GetRange(tokens.Count - window, window));
        return request.StopStrings.FirstOrDefault(stop => text.Contains(stop, StringComparison.Ordinal));
    }
}
