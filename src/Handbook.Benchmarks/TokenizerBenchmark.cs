using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Handbook.Tokenizers;

namespace Handbook.Benchmarks;

/// <summary>Speed of one way of running.</summary>
/// <param name="Threads">Threads used.</param>
/// <param name="MegabytesPerSecond">Millions of UTF-8 bytes of text a second: the median over all passes.</param>
/// <param name="TokensPerSecond">Tokens a second of the same pass.</param>
/// <param name="MegabytesPerProcessorSecond">
/// The same by the time that processors worked for this process, all threads together: other processes on the machine lengthen it less.
/// What it loses from one thread to several is what the threads cost each other.
/// </param>
public sealed record TokenizerSpeed(int Threads, double MegabytesPerSecond, double TokensPerSecond, double MegabytesPerProcessorSecond);

/// <summary>What a measurement found.</summary>
/// <param name="Documents">Documents the text was cut into.</param>
/// <param name="Bytes">UTF-8 bytes of text.</param>
/// <param name="Tokens">Tokens of the text, special ones not counted.</param>
/// <param name="IdsHash">SHA-256 over every document's ids as little-endian int32 and -1 after each: equal hashes, equal ids.</param>
/// <param name="FirstPass">Speed on one thread over text that the tokenizer has not seen: most words are new to its cache.</param>
/// <param name="OneThread">Speed on one thread over text that it has seen before, so that its cache knows the words.</param>
/// <param name="AllThreads">The same on all threads.</param>
public sealed record TokenizerBenchmarkResult(
    int Documents, long Bytes, long Tokens, string IdsHash, TokenizerSpeed FirstPass, TokenizerSpeed OneThread, TokenizerSpeed AllThreads);

/// <summary>
/// Measures how fast a tokenizer encodes a text, ids and offsets both: text it meets for the first time, and text it has seen.
/// <c>benchmarks/tokenizer</c> does the same with Hugging Face's library.
/// </summary>
public sealed class TokenizerBenchmark(TimeProvider time)
{
    /// <summary>Shortest document, in UTF-16 code units; documents end with a line.</summary>
    public const int DocumentLength = 8192;

    /// <summary>Time spent on each way of running. Default 3 seconds.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Encodes the text again and again: anew each time, then on one thread, then on all.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="text">The text.</param>
    /// <param name="stop">Ends it early.</param>
    public TokenizerBenchmarkResult Run(Tokenizer tokenizer, string text, CancellationToken stop = default)
    {
        var documents = CutIntoDocuments(text);
        var bytes = documents.Sum(document => (long)Encoding.UTF8.GetByteCount(document));
        var encoded = documents.ConvertAll(document => tokenizer.Encode(document, addSpecialTokens: false));
        var tokens = encoded.Sum(document => (long)document.Count);
        var fresh = tokenizer;
        var first = Measure(1, bytes, tokens, () => fresh = tokenizer.WithoutMemory(), () => Pass(fresh, 1), stop);
        var one = Measure(1, bytes, tokens, null, () => Pass(tokenizer, 1), stop);
        var threads = Environment.ProcessorCount;
        var all = Measure(threads, bytes, tokens, null, () => Pass(tokenizer, threads), stop);
        return new TokenizerBenchmarkResult(documents.Count, bytes, tokens, HashIds(encoded), first, one, all);

        // What is encoded is dropped in every way: threads are compared, not what keeping costs.
        void Pass(Tokenizer measured, int threads) => measured.EncodeEach(documents, false, static (_, _) => { }, threads);
    }

    /// <summary>Cuts at ends of lines into documents of at least <see cref="DocumentLength"/>.</summary>
    public static List<string> CutIntoDocuments(string text)
    {
        var documents = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var enough = Math.Min(start + DocumentLength, text.Length) - 1;
            var line = text.IndexOf('\n', enough);
            var end = line < 0 ? text.Length : line + 1;
            documents.Add(text[start..end]);
            start = end;
        }
        return documents;
    }

    private TokenizerSpeed Measure(int threads, long bytes, long tokens, Action? prepare, Action pass, CancellationToken stop)
    {
        var (seconds, processor) = (new List<double>(), new List<double>());
        var begin = time.GetTimestamp();
        do
        {
            stop.ThrowIfCancellationRequested();
            prepare?.Invoke();
            var (start, before) = (time.GetTimestamp(), Environment.CpuUsage.TotalTime);
            pass();
            seconds.Add(time.GetElapsedTime(start).TotalSeconds);
            processor.Add((Environment.CpuUsage.TotalTime - before).TotalSeconds);
        }
        while (time.GetElapsedTime(begin) < Duration);
        var (median, worked) = (Median(seconds), Median(processor));
        return new TokenizerSpeed(threads, bytes / median / 1e6, tokens / median, bytes / worked / 1e6);
    }

    private static double Median(List<double> seconds) => Math.Max(seconds.Order().ElementAt(seconds.Count / 2), 1e-9);

    private static string HashIds(List<TokenizedText> documents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var document in documents)
        {
            var bytes = new byte[(document.Count + 1) * 4];
            for (var i = 0; i <= document.Count; i++)
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * 4), i < document.Count ? document.Ids[i] : -1);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
