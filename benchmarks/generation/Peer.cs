using System.Diagnostics;
using Handbook.Benchmarks;
using LLama.Native;

namespace Handbook.Comparison;

/// <summary>llama.cpp with a model, as its own programs run it: cache in float16, flash attention where it wants it.</summary>
internal sealed class Peer : IDisposable
{
    private readonly SafeLlamaModelHandle model;
    private readonly int threads;

    public Peer(string path, int threads)
    {
        this.threads = threads;
        NativeLibraryConfig.All.WithLogCallback((_, _) => { });
        NativeApi.llama_empty_call();
        var parameters = LLamaModelParams.Default();
        parameters.n_gpu_layers = 0;
        model = SafeLlamaModelHandle.LoadFromFile(path, parameters);
    }

    /// <summary>Seconds of a step, which gives every sequence its most likely token; the median.</summary>
    public double StepSeconds(int batch, int prompt, int tokens)
    {
        using var context = Context(batch, prompt + tokens);
        var next = new int[batch];
        for (var sequence = 0; sequence < batch; sequence++)
        {
            var ids = GenerationBenchmark.Prompt(sequence, prompt, model.Vocab.Count);
            var read = new LLamaBatch();
            for (var i = 0; i < prompt; i++)
                read.Add((LLamaToken)ids[i], i, (LLamaSeqId)sequence, logits: i == prompt - 1);
            Decode(context, read);
            next[sequence] = Largest(context.GetLogitsIth(prompt - 1));
        }
        var step = new LLamaBatch();
        var seconds = new List<double>();
        for (var token = 1; token < tokens; token++)
        {
            var start = Stopwatch.GetTimestamp();
            step.Clear();
            for (var sequence = 0; sequence < batch; sequence++)
                step.Add((LLamaToken)next[sequence], prompt + token - 1, (LLamaSeqId)sequence, logits: true);
            Decode(context, step);
            for (var sequence = 0; sequence < batch; sequence++)
                next[sequence] = Largest(context.GetLogitsIth(sequence));
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        seconds.Sort();
        return seconds[seconds.Count / 2];
    }

    public void Dispose() => model.Dispose();

    private SafeLLamaContextHandle Context(int batch, int length)
    {
        var parameters = LLamaContextParams.Default();
        // Each sequence has its share of the context.
        parameters.n_ctx = (uint)(batch * ((length + 255) / 256 * 256));
        parameters.n_batch = parameters.n_ubatch = 512;
        parameters.n_seq_max = (uint)batch;
        parameters.n_threads = parameters.n_threads_batch = threads;
        return SafeLLamaContextHandle.Create(model, parameters);
    }

    private static int Largest(ReadOnlySpan<float> logits) => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits);

    private static void Decode(SafeLLamaContextHandle context, LLamaBatch batch)
    {
        if (context.Decode(batch) is var result and not DecodeResult.Ok)
            throw new InvalidOperationException($"llama.cpp: {result}");
    }
}
