using Handbook.Gguf.Architectures;
using Handbook.Gguf.Format;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Gguf.Adapters;

/// <summary>
/// The low-rank pairs of a model's adapters in llama.cpp's form, each read when it is written. Deltas that lie around each other add up,
/// so those of one weight become one pair with their ranks side by side.
/// </summary>
internal sealed class AdapterTensors : IDisposable
{
    private readonly TensorNames names;
    private readonly WrittenForm forms;
    private readonly List<Source> sources = [];
    private readonly List<(string Weight, List<(Source Source, LowRankDelta Delta)> Deltas)> weights;

    /// <summary>Tensors of a folder's adapters.</summary>
    /// <param name="row">The architecture.</param>
    /// <param name="folder">The folder, which must outlive them.</param>
    /// <param name="model">Its model; shapes are enough.</param>
    public AdapterTensors(GgufArchitecture row, ModelFolder folder, CausalLanguageModel model)
    {
        names = new TensorNames(row, folder.Names);
        forms = new WrittenForm(row, folder.Config, folder.Names);
        foreach (var (adapter, place) in model.Adapters.Zip(folder.Adapters))
            sources.Add(new Source(adapter, place.OpenWeights()));
        if (sources.Select(source => source.Converted()).OfType<string>().FirstOrDefault() is { } converted)
            throw new UserErrorException($"{folder.Adapters[^1].ConfigPath}: {converted} stands in an older layout of PEFT's; handbook "
                + "merge makes a model of it and its base, which can be exported.");
        weights = [.. sources.SelectMany(source => source.Adapter.Deltas.Select(delta => (Source: source, Delta: delta)))
            .GroupBy(pair => pair.Delta.Weight).Select(group => (group.Key, group.ToList()))];
        var (first, deltas) = (weights[0].Deltas[0].Delta, weights[0].Deltas);
        // llama.cpp takes an alpha of zero for a factor of one.
        Alpha = first.Scale == 0 ? Rank(deltas) : first.Scale * Rank(deltas);
    }

    /// <summary>llama.cpp multiplies a pair's product by this over the pair's rank.</summary>
    public double Alpha { get; }

    /// <summary>All pairs.</summary>
    /// <param name="type">How elements are stored.</param>
    public IReadOnlyList<GgufTensor> List(TensorType type) =>
        [.. weights.SelectMany(weight => names[weight.Weight].SelectMany(place => Pair(place, weight.Deltas, type)))];

    public void Dispose() => sources.ForEach(source => source.Weights.Dispose());

    private IEnumerable<GgufTensor> Pair(TensorPlace place, List<(Source Source, LowRankDelta Delta)> deltas, TensorType type)
    {
        var up = deltas[0].Delta.Up.Value.Shape.ToArray();
        up[^2] = deltas[0].Delta.Rows?.Count ?? up[^2];
        var (rank, inputs) = (Rank(deltas), deltas[0].Delta.Down.Value.Size(-1));
        var outputs = place.Half is null ? up[^2] : up[^2] / 2;
        GgufTensor Of(string end, long[] shape, Func<Tensor> make) => new($"{place.Name}.{end}", shape, type, () =>
        {
            using var scope = new TensorScope();
            return [TensorScope.Detach(make().Contiguous())];
        });
        Tensor Down() => Joined(deltas.Select(pair => pair.Source.Read(pair.Delta.Down)), -2);
        Tensor Up() => forms.Of(place, Joined(deltas.Select(pair => Scaled(pair, rank)), -1));
        // A row of the table is looked up, not multiplied: the wide half comes first and the other stands turned.
        if (place.Role == TensorRole.Embedding)
            return [Of("lora_a", [outputs, rank], Up), Of("lora_b", [inputs, rank], () => Down().Transpose(-2, -1))];
        long[] experts = [.. up[..^2]];
        return [Of("lora_a", [.. experts, rank, inputs], Down), Of("lora_b", [.. experts, outputs, rank], Up)];
    }

    private Tensor Scaled((Source Source, LowRankDelta Delta) pair, long rank)
    {
        var up = pair.Source.Read(pair.Delta.Up);
        if (pair.Delta.Rows is var (first, count))
            up = up.Narrow(-2, first, count);
        var factor = pair.Delta.Scale * rank / Alpha;
        return Math.Abs(factor - 1) < 1e-12 ? up : up.To(DType.Float32).Multiply(factor);
    }

    private static Tensor Joined(IEnumerable<Tensor> parts, long dimension)
    {
        Tensor[] all = [.. parts];
        if (all.Length == 1)
            return all[0];
        return Operator.Call("aten::cat"u8, default, Array.ConvertAll(all, part => part.To(DType.Float32)), dimension);
    }

    private static long Rank(List<(Source Source, LowRankDelta Delta)> deltas) => deltas.Sum(pair => pair.Delta.Up.Value.Size(-1));

    /// <summary>An adapter and its open file.</summary>
    private sealed record Source(Adapter Adapter, SafetensorsFolder Weights)
    {
        private readonly StoredNames stored = new(AdapterFolder.Names, Weights.Names);

        /// <summary>A half of a pair as the file holds it.</summary>
        public Tensor Read(Autograd.Parameter half)
        {
            var form = Adapter.Map[half.Name];
            return form.Join([.. NamesOf(half).Select(name => Weights.Get(name))]);
        }

        /// <summary>The file's names of a half.</summary>
        public IEnumerable<string> NamesOf(Autograd.Parameter half) =>
            Adapter.Map[half.Name].Entries(half.Name, half.Value.Shape).Select(entry => stored[entry.Name]);

        /// <summary>A half that the file has under other names, which were converted when it was loaded.</summary>
        public string? Converted() => Adapter.Deltas.SelectMany(delta => new[] { delta.Down, delta.Up }).SelectMany(NamesOf)
            .FirstOrDefault(name => !Weights.Contains(name));
    }
}
