using Handbook.Torch;

namespace Handbook.Training;

/// <summary>What carries tensors from step to step, which checkpoints keep; by default nothing.</summary>
public interface ISavedState
{
    /// <summary>Everything that a resumed run needs to go on exactly, by name; the tensors are the live ones.</summary>
    IEnumerable<(string Name, Tensor Tensor)> State() => [];

    /// <summary>Copies a saved state back.</summary>
    /// <param name="find">Gives the tensor saved under a name, or null.</param>
    /// <exception cref="UserErrorException">A tensor is missing or has another shape.</exception>
    void Load(Func<string, Tensor?> find)
    {
    }
}
