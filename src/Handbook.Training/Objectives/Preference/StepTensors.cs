using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>Tensors that outlive the micro-batch they were made for and go with the step.</summary>
internal sealed class StepTensors : IDisposable
{
    private readonly List<Tensor> tensors = [];

    /// <summary>Takes a tensor over.</summary>
    internal Tensor Keep(Tensor tensor)
    {
        tensors.Add(TensorScope.Detach(tensor));
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in tensors)
            tensor.Dispose();
        tensors.Clear();
    }
}
