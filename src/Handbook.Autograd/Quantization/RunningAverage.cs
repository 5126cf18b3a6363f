using Handbook.Torch;

namespace Handbook.Autograd.Quantization;

/// <summary>
/// What an optimizer remembers of a parameter from step to step: numbers as they are, or in <see cref="DynamicCodes"/>, which take a
/// quarter of the memory.
/// </summary>
public sealed class RunningAverage : IDisposable
{
    private RunningAverage(string name, Tensor numbers, Tensor? scales, DynamicCodes? codes)
    {
        (Name, Numbers, Scales, Codes) = (name, TensorScope.Detach(numbers), scales, codes);
        if (scales is not null)
            TensorScope.Detach(scales);
    }

    /// <summary>Its name in checkpoints, such as <c>exp_avg</c>.</summary>
    public string Name { get; }

    /// <summary>The numbers in float32 or float64; or their codes, uint8.</summary>
    internal Tensor Numbers { get; }

    /// <summary>float32 [blocks]; null where <see cref="Numbers"/> are numbers.</summary>
    internal Tensor? Scales { get; }

    /// <summary>What the codes mean; null where there are none.</summary>
    internal DynamicCodes? Codes { get; }

    /// <summary>Bytes in memory.</summary>
    public long ByteCount => Numbers.ByteCount + (Scales?.ByteCount ?? 0);

    /// <summary>Zeros in a type of their own.</summary>
    public static RunningAverage Zeros(string name, ReadOnlySpan<long> shape, DType dtype, Device device) =>
        new(name, Tensor.Zeros(shape, dtype, device), null, null);

    /// <summary>Zeros in codes of 8 bits.</summary>
    public static RunningAverage ZerosInCodes(string name, ReadOnlySpan<long> shape, DynamicCodes codes, Device device)
    {
        var zeros = Tensor.Full(shape, codes.Zero, DType.UInt8, device);
        var blocks = (zeros.ElementCount + DynamicCodes.BlockSize - 1) / DynamicCodes.BlockSize;
        return new RunningAverage(name, zeros, Tensor.Zeros([blocks], DType.Float32, device), codes);
    }

    /// <summary>The numbers: the live ones, or a copy that <see cref="Write"/> takes back.</summary>
    public Tensor Read() => Codes is null ? Numbers : Codes.Decode(Numbers, Scales!);

    /// <summary>Takes changed numbers back.</summary>
    public void Write(Tensor numbers) => Codes?.Encode(numbers, Numbers, Scales!);

    /// <summary>What a checkpoint keeps of it, by name; the tensors are the live ones.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State()
    {
        yield return (Name, Numbers);
        if (Scales is not null)
            yield return ($"{Name}.absmax", Scales);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Numbers.Dispose();
        Scales?.Dispose();
    }
}
