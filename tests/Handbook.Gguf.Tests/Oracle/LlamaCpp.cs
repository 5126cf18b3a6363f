using System.Text;
using Handbook.TestSupport;
using LLama.Native;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>A GGUF file in llama.cpp itself, which is the judge of what this project writes.</summary>
internal sealed class LlamaCpp : IDisposable
{
    private static readonly Lazy<string?> Missing = new(Load);
    private readonly SafeLlamaModelHandle model;
    private readonly LoraAdapter? adapter;

    /// <param name="path">The file.</param>
    /// <param name="vocabularyOnly">Whether to leave the weights out.</param>
    /// <param name="adapter">An adapter's file that is put around the model; null for none.</param>
    public LlamaCpp(string path, bool vocabularyOnly = false, string? adapter = null)
    {
        Require();
        var parameters = LLamaModelParams.Default();
        parameters.vocab_only = vocabularyOnly;
        parameters.n_gpu_layers = 0;
        model = SafeLlamaModelHandle.LoadFromFile(path, parameters);
        this.adapter = adapter is null ? null : model.LoadLoraFromFile(adapter);
    }

    /// <summary>Skips a test where the native library does not load.</summary>
    /// <exception cref="SkippedTestException">It does not.</exception>
    public static void Require()
    {
        if (Missing.Value is { } reason)
            throw new SkippedTestException("llama.cpp's native library", reason);
    }

    public int VocabularySize => model.Vocab.Count;

    public SafeLlamaModelHandle.Vocabulary Vocabulary => model.Vocab;

    public string? Metadata(string key) =>
        model.MetadataValueByKey(key) is { } value ? Encoding.UTF8.GetString(value.Span).TrimEnd('\0') : null;

    /// <summary>The context length that the file names.</summary>
    public int ContextLength => model.ContextSize;

    public string? ChatTemplate => model.GetTemplate(strict: false);

    /// <summary>Ids of a text; special tokens in it are found, as Hugging Face's tokenizers find them.</summary>
    public int[] Tokenize(string text, bool addSpecial) =>
        [.. model.Tokenize(text, addSpecial, special: true, Encoding.UTF8).Select(token => (int)token)];

    /// <summary>Logits [tokens, vocabulary] of a sequence, all of it in float32 as far as llama.cpp has it.</summary>
    public float[][] Logits(ReadOnlySpan<int> ids)
    {
        using var context = Context(ids.Length);
        var batch = new LLamaBatch();
        for (var i = 0; i < ids.Length; i++)
            batch.Add((LLamaToken)ids[i], i, LLamaSeqId.Zero, logits: true);
        Decode(context, batch);
        var rows = new float[ids.Length][];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = context.GetLogitsIth(i).ToArray();
        return rows;
    }

    /// <summary>The most likely continuation.</summary>
    public int[] Greedy(ReadOnlySpan<int> prompt, int count)
    {
        using var context = Context(prompt.Length + count);
        var batch = new LLamaBatch();
        for (var i = 0; i < prompt.Length; i++)
            batch.Add((LLamaToken)prompt[i], i, LLamaSeqId.Zero, logits: i == prompt.Length - 1);
        var tokens = new int[count];
        for (var i = 0; i < count; i++)
        {
            Decode(context, batch);
            var logits = context.GetLogitsIth(batch.TokenCount - 1);
            tokens[i] = logits.IndexOf(Largest(logits));
            batch.Clear();
            batch.Add((LLamaToken)tokens[i], prompt.Length + i, LLamaSeqId.Zero, logits: true);
        }
        return tokens;
    }

    /// <summary>llama.cpp's own packing of a file.</summary>
    public static void Quantize(string source, string target, LLamaFtype type)
    {
        Require();
        var parameters = LLamaModelQuantizeParams.Default();
        parameters.ftype = type;
        parameters.nthread = 1;
        Assert.Equal(0u, NativeApi.llama_model_quantize(source, target, ref parameters));
    }

    public void Dispose() => model.Dispose();

    private SafeLLamaContextHandle Context(int length)
    {
        var parameters = LLamaContextParams.Default();
        // One batch holds a sequence, padded to llama.cpp's least.
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = (uint)Math.Max(256, length);
        parameters.n_threads = parameters.n_threads_batch = 1;
        parameters.type_k = parameters.type_v = GGMLType.GGML_TYPE_F32;
        parameters.llama_flash_attn_type = LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED;
        var context = SafeLLamaContextHandle.Create(model, parameters);
        if (adapter is not null)
            context.SetLoraAdapters([(adapter, 1f)]);
        return context;
    }

    private static float Largest(ReadOnlySpan<float> logits)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
            largest = MathF.Max(largest, logit);
        return largest;
    }

    private static void Decode(SafeLLamaContextHandle context, LLamaBatch batch) => Assert.Equal(DecodeResult.Ok, context.Decode(batch));

    private static string? Load()
    {
        try
        {
            // Its log is long and of no interest unless a test fails.
            NativeLibraryConfig.All.WithLogCallback((_, _) => { });
            NativeApi.llama_empty_call();
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return error.Message.ReplaceLineEndings(" ");
        }
    }
}
