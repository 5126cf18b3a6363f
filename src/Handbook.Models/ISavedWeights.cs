using Handbook.Autograd;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>Weights that a run moves and a folder holds: those of a whole model, or of an adapter alone.</summary>
public interface ISavedWeights
{
    /// <summary>The leaves under their names in files, in the reference's order.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>How each of them stands in files.</summary>
    WeightMap Map { get; }

    /// <summary>Name of the file that holds them, where there are not several.</summary>
    string FileName { get; }

    /// <summary>A weight as its folder holds it, in a wider element type than the model's; null when there is no more to be had.</summary>
    /// <param name="parameter">One of <see cref="Parameters"/>.</param>
    /// <param name="dtype">The wider type.</param>
    Tensor? Stored(Parameter parameter, DType dtype);

    /// <summary>Writes them as they are, so that training goes on from them.</summary>
    /// <param name="path">The folder; made when absent.</param>
    /// <param name="dtype">Element type of the files.</param>
    void SaveState(string path, DType dtype);

    /// <summary>Writes them so that transformers, or PEFT, loads them.</summary>
    /// <param name="path">The folder; made when absent.</param>
    /// <param name="dtype">Element type of the files.</param>
    /// <param name="values">The tensor to write for a weight, such as its master copy; null writes the weights themselves.</param>
    void Save(string path, DType dtype, Func<Parameter, Tensor>? values = null);
}
