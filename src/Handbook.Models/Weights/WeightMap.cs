using Handbook.Autograd;
using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>How each weight of a model stands in files.</summary>
public sealed class WeightMap
{
    private readonly IReadOnlyDictionary<string, StoredForm> forms;

    internal WeightMap(IReadOnlyDictionary<string, StoredForm> forms) => this.forms = new Dictionary<string, StoredForm>(forms);

    /// <summary>The form of a weight by its name.</summary>
    public StoredForm this[string name] => forms[name];

    /// <summary>A tensor of a weight's shape (its value, master copy or gradient) as files hold it. Belongs to the current scope.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Stored(Parameter parameter, Tensor value)
    {
        var form = forms[parameter.Name];
        return [.. form.Entries(parameter.Name, value.Shape).Zip(form.Split(value), (entry, tensor) => (entry.Name, tensor))];
    }

    /// <summary>A weight in codes of few bits as a checkpoint's tensors, as bitsandbytes has them.</summary>
    internal IEnumerable<NamedTensor> ToFiles(QuantizedWeight weight)
    {
        var names = forms[weight.Name].Entries(weight.Name, weight.Shape);
        return names.Count == weight.Parts.Count
            ? names.Zip(weight.Parts).SelectMany(pair => BitsandbytesTensors.Of(pair.First.Name, pair.Second))
            : throw new InvalidOperationException($"{weight.Name} is one tensor in files; codes of a stack have no place there.");
    }

    /// <summary>Weights as a checkpoint's tensors, in their order. They belong to the current scope.</summary>
    /// <param name="parameters">The weights.</param>
    /// <param name="dtype">Element type of the files.</param>
    /// <param name="values">The tensor to write for a weight; null writes the weights themselves.</param>
    internal IEnumerable<NamedTensor> ToFiles(IEnumerable<Parameter> parameters, DType dtype, Func<Parameter, Tensor>? values) =>
        parameters.SelectMany(parameter => Stored(parameter, values?.Invoke(parameter) ?? parameter.Value))
            .Select(stored => new NamedTensor(stored.Name, stored.Value, dtype));
}
