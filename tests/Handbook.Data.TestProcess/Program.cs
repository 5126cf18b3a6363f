using System.Globalization;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Tokenizers;

namespace Handbook.Data.TestProcess;

/// <summary>
/// Prepares plain text in a process of its own, which tests kill or whose memory they read:
/// <c>data-file cache-folder tokenizer-folder</c>. Prints progress, then the store's hash, folder, rate and peak memory.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        var (data, cache, tokenizer) = (arguments[0], arguments[1], arguments[2]);
        var encoder = new PlainTextEncoder(Tokenizer.Load(tokenizer), TokenizerFingerprint.Of(tokenizer));
        var options = new PreparationOptions
        {
            Sources = [new DatasetPart(new DatasetRequest(data))],
            PreferText = true,
            Packing = new PackingOptions { MaxLength = 2048, Overlong = OverlongPolicy.Split },
            CacheFolder = cache,
        };
        var last = new Reported();
        using var store = new DataPreparation(options, encoder).Prepare(last);
        Say($"hash {store.ContentHash}");
        Say($"folder {store.Folder}");
        Say($"efficiency {store.Train.Summary.Efficiency.ToString("F4", CultureInfo.InvariantCulture)}");
        Say($"rate {last.Value.MegabytesPerSecond.ToString("F1", CultureInfo.InvariantCulture)}");
        if (File.Exists("/proc/self/status"))
            Say(string.Join(' ',
                File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal))
                    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        return 0;
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    private sealed class Reported : IProgress<PreparationProgress>
    {
        public PreparationProgress Value { get; private set; }

        public void Report(PreparationProgress value)
        {
            Value = value;
            Say(string.Create(CultureInfo.InvariantCulture, $"progress {value.Stage} {value.Examples}"));
        }
    }
}
