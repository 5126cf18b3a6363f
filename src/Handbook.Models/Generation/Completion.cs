namespace Handbook.Models.Generation;

/// <summary>A completion that is growing.</summary>
internal sealed class Completion : IDisposable
{
    private readonly GenerationRequest request;
    private readonly int number;
    private readonly int sample;
    private readonly TokenSampler sampler;
    private readonly IReadOnlyList<int> stopTokens;
    private readonly List<int> tokens = [];
    private readonly List<double> logps = [];
    private readonly Func<int, string>? text;
    private string tail = "";

    internal Completion(GenerationRequest request, int number, int sample, CachedSequence cache, IReadOnlyList<int> stopTokens)
    {
        this.request = request;
        this.number = number;
        this.sample = sample;
        this.stopTokens = stopTokens;
        Cache = cache;
        sampler = new TokenSampler(request.Sampling, sample, request.Prompt);
        text = request.StopStrings.Count > 0 ? request.BeginText!() : null;
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
        if (StopStringWith(token) is { } stop)
            Result = End(FinishReason.StopString) with { StopString = stop };
        else if (tokens.Count >= request.MaxNewTokens)
            Result = End(FinishReason.Length);
    }

    public void Dispose() => Cache.Dispose();

    private GenerationResult End(FinishReason reason) => new(number, sample, tokens, logps, reason);

    private string? StopStringWith(int token)
    {
        if (text is null)
            return null;
        tail += text(token);
        var found = request.StopStrings.FirstOrDefault(stop => tail.Contains(stop, StringComparison.Ordinal));
        // A stop string that comes yet can have begun so far back, and no farther.
        var kept = request.StopStrings.Max(stop => stop.Length) - 1;
        tail = tail.Length > kept ? tail[^kept..] : tail;
        return found;
    }
}
