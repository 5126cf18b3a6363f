using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>
/// Lets requests in, in their order, as the cache has room: reads a prompt once and starts its samples from it. Blocks for a
/// completion's full length are taken when it starts, so none ever has to wait half-way.
/// </summary>
internal sealed class Admission : IDisposable
{
    private readonly CausalLanguageModel model;
    private readonly KeyValueCache cache;
    private readonly IReadOnlyList<GenerationRequest> requests;
    private int request;
    private int sample;
    private CachedSequence? prompt;
    private float[] promptLogits = [];

    internal Admission(CausalLanguageModel model, KeyValueCache cache, IReadOnlyList<GenerationRequest> requests)
    {
        this.model = model;
        this.cache = cache;
        this.requests = requests;
    }

    /// <summary>True when every sample of every request has been let in.</summary>
    internal bool IsDone => request == requests.Count;

    /// <summary>Tokens that one completion of a request takes at most, prompt included.</summary>
    internal static long TokensOfOne(GenerationRequest request) =>
        (long)KeyValueCache.BlocksFor(request.Prompt.Length + request.MaxNewTokens) * KeyValueCache.BlockSize;

    /// <summary>Tokens without which a request cannot be started.</summary>
    internal static long TokensNeeded(GenerationRequest request) =>
        TokensOfOne(request)
        + (request.SampleCount == 1 ? 0 : (long)KeyValueCache.BlocksFor(request.Prompt.Length) * KeyValueCache.BlockSize);

    /// <summary>The next completion with its first token chosen; null when there is no room or nothing left.</summary>
    internal Completion? Next()
    {
        if (IsDone)
            return null;
        var current = requests[request];
        var tokens = current.Prompt.Length + current.MaxNewTokens;
        if (prompt is null && !ReadPrompt(current, tokens))
            return null;
        var own = StartSequence(current, tokens);
        if (own is null)
            return null;
        var completion = new Completion(current, request, sample, own, current.StopTokens ?? model.StopTokenIds);
        completion.Grow(promptLogits.ToArray());
        if (++sample == current.SampleCount)
        {
            prompt?.Dispose();
            (prompt, sample) = (null, 0);
            request++;
        }
        return completion;
    }

    public void Dispose() => prompt?.Dispose();

    private CachedSequence? StartSequence(GenerationRequest current, int tokens)
    {
        if (current.SampleCount == 1)
        {
            var whole = prompt;
            prompt = null;
            return whole;
        }
        var needed = KeyValueCache.BlocksFor(tokens) - prompt!.Length / KeyValueCache.BlockSize;
        return cache.FreeBlocks < needed ? null : cache.Fork(prompt, tokens);
    }

    private bool ReadPrompt(GenerationRequest current, int tokens)
    {
        var held = current.SampleCount == 1 ? tokens : current.Prompt.Length;
        if (cache.FreeBlocks < KeyValueCache.BlocksFor(held))
            return false;
        prompt = cache.Allocate(held);
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        using var output = model.Decoder.Forward(tape, current.Prompt,
            new PromptContext(model.Decoder.Rotary, cache, prompt, current.Prompt.Length, model.Device));
        prompt.Length = current.Prompt.Length;
        var last = output.Value.Narrow(0, current.Prompt.Length - 1, 1);
        promptLogits = model.Head.Logits(last).Read<float>(DeviceWait.Predictions);
        return true;
    }
}
