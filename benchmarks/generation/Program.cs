using System.Globalization;
using Handbook.Benchmarks;
using Handbook.Comparison;
using Handbook.Gguf;
using Handbook.Models;
using Handbook.Torch;

// Tokens a second of handbook and of llama.cpp on the same bfloat16 model, by turns in one process, once the prompts are read:
//   dotnet run -c Release --project benchmarks/generation [shape] [rounds] [prompt] [tokens] [batch...]
const int Threads = 2;
var shape = args.ElementAtOrDefault(0) ?? "smollm2-135m";
var (rounds, prompt, tokens) = (Number(1, 5), Number(2, 32), Number(3, 64));
int[] batches = args.Length > 4 ? [.. Enumerable.Range(4, args.Length - 4).Select(place => Number(place, 1))] : [1, 32];

ParallelWork.ThreadCount = Threads;
var folder = Directory.CreateTempSubdirectory("handbook-generation-");
try
{
    var (path, gguf) = (Path.Combine(folder.FullName, "model"), Path.Combine(folder.FullName, "model.gguf"));
    using (var made = CausalLanguageModel.Create(ModelShape.Find(shape), 1, DType.BFloat16))
        made.Save(path, DType.BFloat16);
    GgufExport.Run(path, gguf, FileType.Find("bf16"));
    using var model = CausalLanguageModel.Load(path);
    using var peer = new Peer(gguf, Threads);
    var bytes = model.Parameters.Sum(weight => weight.Value.ByteCount);
    Console.WriteLine($"{shape} in bf16, {bytes / 1e6:F0} MB, {Threads} threads, prompts of {prompt}, {tokens} new tokens");
    foreach (var batch in batches)
        Compare(batch, bytes);

    void Compare(int batch, long bytes)
    {
        var options = new GenerationBenchmarkOptions(shape, DType.BFloat16, [batch], prompt, tokens);
        GenerationBenchmark.Measure(model, options with { NewTokens = 3 }, batch);
        peer.StepSeconds(batch, prompt, 3);
        var pairs = new List<(double Ours, double Theirs)>();
        for (var round = 0; round < rounds; round++)
        {
            var ours = GenerationBenchmark.Measure(model, options, batch).TokensPerSecond;
            pairs.Add((ours, batch / peer.StepSeconds(batch, prompt, tokens)));
            Console.WriteLine($"batch {batch}: handbook {pairs[^1].Ours:F1}, llama.cpp {pairs[^1].Theirs:F1} tokens/s");
        }
        Console.WriteLine($"batch {batch}, medians: handbook {Median(pair => pair.Ours):F1}, "
            + $"llama.cpp {Median(pair => pair.Theirs):F1} tokens/s, "
            + $"ratio {Median(pair => pair.Ours / pair.Theirs):F2}; weights at {Median(pair => pair.Ours) / batch * bytes / 1e9:F1} GB/s");

        double Median(Func<(double Ours, double Theirs), double> number) => pairs.Select(number).Order().ElementAt(pairs.Count / 2);
    }
}
finally
{
    folder.Delete(recursive: true);
}

int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place], CultureInfo.InvariantCulture) : otherwise;
