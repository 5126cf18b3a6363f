using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Training.Loop;

/// <summary>
/// A weight, or what the optimizer keeps of it, is not a finite number, or would not be one in the element type it is saved in. It is
/// never written: the last checkpoint stays what it is.
/// </summary>
public sealed class NonFiniteWeightsException : Exception
{
    private NonFiniteWeightsException(string message) : base(message)
    {
    }

    /// <summary>Looks through what is about to be written.</summary>
    /// <param name="folder">Where it would be written.</param>
    /// <param name="tensors">The tensors, with the element type of the file.</param>
    /// <exception cref="NonFiniteWeightsException">One of them must not be written.</exception>
    public static void ThrowIfAny(string folder, IEnumerable<NamedTensor> tensors)
    {
        foreach (var tensor in tensors.Where(tensor => tensor.DType.IsFloatingPoint()))
        {
            using var scope = new TensorScope();
            var written = tensor.Value.To(tensor.DType);
            if (written.AllFinite())
                continue;
            throw new NonFiniteWeightsException(written.DType == tensor.Value.DType || !tensor.Value.AllFinite()
                ? $"{folder}: {tensor.Name} holds values that are infinite or not a number; nothing was saved, and earlier checkpoints "
                    + "are untouched. Lower learning_rate, lengthen the warm-up, or raise adam_epsilon."
                : $"{folder}: {tensor.Name} holds values beyond what {tensor.DType.Name()} can; it was not saved. Give torch_dtype: "
                    + "float32 (or bfloat16) and start the same command again.");
        }
    }
}
