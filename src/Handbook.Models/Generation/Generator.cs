using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>
/// Generates completions of many prompts at once: sequences grow together, a finished one makes room for the next prompt, and
/// samples of one prompt share its cache. A completion depends on its request alone, not on what else is running.
/// </summary>
public sealed class Generator
{
    private readonly CausalLanguageModel model;
    private readonly GeneratorOptions options;

    /// <summary>Makes a generator over a model, which stays the caller's.</summary>
    public Generator(CausalLanguageModel model, GeneratorOptions? options = null)
    {
        this.model = model;
        this.options = options ?? new GeneratorOptions();
    }

    /// <summary>Completes requests.</summary>
    /// <param name="requests">The prompts.</param>
    /// <param name="finished">Hears of each completion when it ends, in no order that may be relied on.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <returns>For each request its samples.</returns>
    /// <exception cref="UserErrorException">A request is empty or its settings are out of range.</exception>
    public IReadOnlyList<GenerationResult[]> Run(
        IReadOnlyList<GenerationRequest> requests, Action<GenerationResult>? finished = null, CancellationToken cancellation = default)
    {
        foreach (var request in requests)
            Check(request);
        var results = requests.Select(request => new GenerationResult[request.SampleCount]).ToArray();
        if (requests.Count == 0)
            return results;
        using var cache = new KeyValueCache(model.Config, CacheTokens(requests), CacheDType, model.Device);
        using var admission = new Admission(model, cache, requests);
        var growing = new List<Completion>();
        while (growing.Count > 0 || !admission.IsDone)
        {
            cancellation.ThrowIfCancellationRequested();
            while (growing.Count < options.MaxBatch && admission.Next() is { } completion)
                growing.Add(completion);
            Collect(growing, results, finished);
            if (growing.Count > 0)
                Step(cache, growing);
            Collect(growing, results, finished);
        }
        return results;
    }

    /// <summary>Completes one prompt.</summary>
    public GenerationResult Run(GenerationRequest request) => Run([request])[0][0];

    // On the host the cache is float32: that is what its attention reads.
    private DType CacheDType => model.Device.Kind == DeviceKind.Cpu ? DType.Float32 : model.Head.Weight.DType;

    private void Step(KeyValueCache cache, List<Completion> growing)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var ids = growing.Select(completion => completion.Newest).ToArray();
        using var output = model.Decoder.Forward(tape, ids,
            new NextTokenContext(model.Decoder.Rotary, cache, [.. growing.Select(completion => completion.Cache)], model.Device));
        var logits = model.Head.Logits(output.Value).Read<float>(DeviceWait.Predictions);
        var width = model.Config.VocabularySize;
        for (var i = 0; i < growing.Count; i++)
        {
            growing[i].Cache.Length++;
            growing[i].Grow(logits.AsSpan(i * width, width));
        }
    }

    private static void Collect(List<Completion> growing, GenerationResult[][] results, Action<GenerationResult>? finished)
    {
        foreach (var completion in growing)
        {
            if (completion.Result is not { } result)
                continue;
            completion.Dispose();
            results[result.Request][result.Sample] = result;
            finished?.Invoke(result);
        }
        growing.RemoveAll(completion => completion.Result is not null);
    }

    private long CacheTokens(IReadOnlyList<GenerationRequest> requests)
    {
        var longest = requests.Max(Admission.TokensNeeded);
        var count = Math.Min(options.MaxBatch, requests.Sum(request => (long)request.SampleCount));
        var limit = options.CacheTokens ?? GeneratorOptions.DefaultCacheBytes / KeyValueCache.BytesPerToken(model.Config, CacheDType);
        return Math.Max(longest, Math.Min(limit, count * requests.Max(Admission.TokensOfOne) + longest));
    }

    private static void Check(GenerationRequest request)
    {
        request.Sampling.Check();
        if (request.Prompt.Length == 0)
            throw new UserErrorException("A prompt has no token; it needs one at least, such as the beginning-of-text token.");
        if (request.MaxNewTokens < 1 || request.SampleCount < 1)
            throw new UserErrorException(
                $"max_new_tokens ({request.MaxNewTokens}) and the number of samples ({request.SampleCount}) must be at least 1.");
        if (request.StopStrings.Count > 0 && request.BeginText is null)
            throw new ArgumentException("Stop strings need the text.", nameof(request));
    }
}
