using Handbook.Gguf.Format;
using Handbook.Models;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Gguf.Architectures;

/// <summary>The tensors of a model folder in llama.cpp's form, each read when it is written.</summary>
internal sealed class ModelTensors
{
    private readonly GgufArchitecture row;
    private readonly ModelFolder folder;
    private readonly TensorNames names;
    private readonly TypePlan plan;
    private readonly StoredNames stored;

    /// <summary>Tensors of an open folder, which must outlive them.</summary>
    public ModelTensors(GgufArchitecture row, ModelFolder folder, FileType type)
    {
        (this.row, this.folder) = (row, folder);
        names = new TensorNames(row, folder.Names);
        plan = new TypePlan(type, folder.Config);
        stored = new StoredNames(folder.Names, folder.Weights.Names);
    }

    /// <summary>All tensors.</summary>
    /// <exception cref="UserErrorException">Weights are missing, left over, or of another shape than the configuration says.</exception>
    public IReadOnlyList<GgufTensor> List()
    {
        if (folder.Config.Quantization is { } held)
            throw new UserErrorException($"{folder.Path}: the weights are in {held.Format.Name} codes; use the full-precision checkpoint.");
        // Shapes without elements: all that is wrong with the weights is said before anything is written.
        using var model = CausalLanguageModel.Load(folder.Path, DType.Float32, Device.Meta);
        var tensors = model.Parameters
            .SelectMany(weight => names[weight.Name].Select(place =>
                Of(place, weight.Name, weight.Value.Shape.ToArray(), model.Map[weight.Name]))).ToList();
        if (folder.Config.Head.IsTied && row.Head == HeadRule.Own)
        {
            var name = folder.Names.Embedding + ".weight";
            tensors.Add(Of(new TensorPlace("output.weight", TensorRole.Head, -1, false), name,
                [folder.Config.VocabularySize, folder.Config.HiddenSize], model.Map[name]));
        }
        if (Hyperparameters.FrequencyDivisors(folder.Config) is { } divisors)
            tensors.Add(new GgufTensor(Hyperparameters.Frequencies, [divisors.Length], TensorType.F32, () => [Tensor.From(divisors)]));
        return tensors;
    }

    private GgufTensor Of(TensorPlace place, string weight, long[] shape, StoredForm form)
    {
        long[] written = place.Half is null ? shape : [shape[0], shape[1] / 2, .. shape[2..]];
        return new GgufTensor(place.Name, written, plan[place, written], () => Parts(place, weight, shape, form));
    }

    private IEnumerable<Tensor> Parts(TensorPlace place, string weight, long[] shape, StoredForm form)
    {
        if (MicroscaledWeights.Holds(folder.Weights, stored[weight]))
            return [Unpacked(place, weight, shape)];
        var entries = form.Entries(weight, shape);
        // Experts stand in files one by one, and one after another in the tensor.
        return form is StoredForm.Stacked
            ? entries.Select(entry => Part(place, [entry.Name], StoredForm.Same.Instance))
            : [Part(place, [.. entries.Select(entry => entry.Name)], form)];
    }

    private Tensor Part(TensorPlace place, IReadOnlyList<string> entries, StoredForm form)
    {
        using var scope = new TensorScope();
        var weight = form.Join([.. entries.Select(name => folder.Weights.Get(stored[name]))]);
        return TensorScope.Detach(Transformed(place, weight));
    }

    private Tensor Unpacked(TensorPlace place, string weight, long[] shape)
    {
        using var scope = new TensorScope();
        return TensorScope.Detach(Transformed(place, MicroscaledWeights.Read(folder.Weights, stored[weight], shape, DType.BFloat16)));
    }

    /// <summary>Gate or up of a weight that holds both, [experts, outputs, ...].</summary>
    private Tensor HalfOf(Tensor weight, int half)
    {
        var width = weight.Size(1) / 2;
        if (folder.Names.Experts is not { Alternate: true })
            return weight.Narrow(1, half * width, width).Contiguous();
        return weight.Reshape([weight.Size(0), width, 2, .. weight.Shape[2..]]).Select(2, half).Contiguous();
    }

    private Tensor Transformed(TensorPlace place, Tensor weight)
    {
        if (place.Half is { } half)
            return HalfOf(weight, half);
        var config = folder.Config;
        if (place.Role == TensorRole.Norm)
            return NormOf(place, config).IsOffset && !place.IsBias ? weight.To(DType.Float32).Add(1.0) : weight;
        if (place.Layer < 0)
            return weight;
        var attention = config.Layers[place.Layer].Attention;
        if (place.Role is TensorRole.QueryNorm or TensorRole.KeyNorm && attention.QueryKeyNorm is { Norm.IsOffset: true })
            weight = weight.To(DType.Float32).Add(1.0);
        var heads = place.Role switch { TensorRole.Query => attention.HeadCount, TensorRole.Key => attention.KeyValueHeadCount, _ => 0 };
        if (heads > 0 && row.TurnsNeighbours)
            weight = Interleaved(weight, heads);
        return Scaled(place, weight, attention, attention.Scale / row.Scale(config));
    }

    private static NormConfig NormOf(TensorPlace place, ModelConfig config)
    {
        if (place.Layer < 0)
            return config.FinalNorm;
        var norms = config.Layers[place.Layer].Norms;
        return norms.BeforeAttention ?? norms.AfterAttention!;
    }

    /// <summary>[heads x width, ...] with rows i and i + width / 2 of each head side by side.</summary>
    private static Tensor Interleaved(Tensor weight, int heads)
    {
        long[] rest = [.. weight.Shape[1..]];
        var half = weight.Size(0) / heads / 2;
        return weight.Reshape([heads, 2, half, .. rest]).Transpose(1, 2).Contiguous().Reshape(weight.Shape);
    }

    /// <summary>Queries times a factor, so that llama.cpp's own scale gives the model's scores.</summary>
    private static Tensor Scaled(TensorPlace place, Tensor weight, AttentionConfig attention, double factor)
    {
        var isQuery = attention.QueryKeyNorm is null ? place.Role is TensorRole.Query or TensorRole.QueryKeyValue
            : place.Role == TensorRole.QueryNorm;
        if (!isQuery || Math.Abs(factor - 1) < 1e-9)
            return weight;
        var scaled = weight.To(DType.Float32).Clone();
        scaled.Narrow(0, 0, place.Role == TensorRole.QueryNorm ? weight.Size(0) : attention.HeadCount * attention.HeadDim)
            .MultiplyInPlace(factor);
        return scaled;
    }
}
