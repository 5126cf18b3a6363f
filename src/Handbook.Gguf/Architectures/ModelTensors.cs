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
    private readonly WrittenForm forms;
    private readonly TypePlan plan;
    private readonly StoredNames stored;

    /// <summary>Tensors of an open folder, which must outlive them.</summary>
    public ModelTensors(GgufArchitecture row, ModelFolder folder, FileType type)
    {
        (this.row, this.folder) = (row, folder);
        names = new TensorNames(row, folder.Names);
        forms = new WrittenForm(row, folder.Config, folder.Names);
        plan = new TypePlan(type, folder.Config);
        stored = new StoredNames(folder.Names, folder.Weights.Names);
    }

    /// <summary>All tensors.</summary>
    /// <exception cref="UserErrorException">Weights are missing, left over, or of another shape than the configuration says.</exception>
    public IReadOnlyList<GgufTensor> List()
    {
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
        return TensorScope.Detach(forms.Of(place, weight));
    }

    private Tensor Unpacked(TensorPlace place, string weight, long[] shape)
    {
        using var scope = new TensorScope();
        return TensorScope.Detach(forms.Of(place, MicroscaledWeights.Read(folder.Weights, stored[weight], shape, DType.BFloat16)));
    }
}
