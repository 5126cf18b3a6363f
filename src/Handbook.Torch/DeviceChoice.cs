using System.Globalization;

namespace Handbook.Torch;

/// <summary>The device that a run computes on, and why it is that one.</summary>
/// <param name="Device">The device.</param>
/// <param name="Why">In a person's words.</param>
public sealed record DeviceChoice(Device Device, string Why)
{
    /// <summary>What may be asked for.</summary>
    public const string Expected = "auto, cpu, cuda or cuda:N";

    /// <summary>Finds the device that is asked for.</summary>
    /// <param name="wanted"><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="UserErrorException">Another word, or a GPU that is not to be had.</exception>
    public static DeviceChoice Of(string wanted)
    {
        if (wanted == "cpu")
            return new DeviceChoice(Device.Cpu, "as asked for");
        if (wanted != "auto")
        {
            var asked = Parse(wanted);
            return Problem(asked) is { } fault
                ? throw new UserErrorException($"device: {wanted} is not to be had: {fault}")
                : new DeviceChoice(asked, "as asked for");
        }
        var problem = Problem(Device.Cuda());
        return problem is null ? new DeviceChoice(Device.Cuda(), "a GPU that libtorch can use") : new DeviceChoice(Device.Cpu, problem);
    }

    /// <summary>Such as <c>cpu (no GPU half of libtorch)</c>.</summary>
    public override string ToString() => $"{Device} ({Why})";

    /// <summary>True for a word that may stand for a device, whether or not there is one.</summary>
    public static bool IsOne(string wanted) => wanted is "auto" or "cpu" || Cuda(wanted) is not null;

    private static Device Parse(string wanted) =>
        Cuda(wanted) ?? throw new UserErrorException(
            $"device: expected {Expected}, found {wanted}.{NearestName.Hint(wanted, ["auto", "cpu", "cuda"])}");

    private static Device? Cuda(string wanted)
    {
        if (wanted == "cuda")
            return Device.Cuda();
        return wanted.StartsWith("cuda:", StringComparison.Ordinal)
            && int.TryParse(wanted.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? Device.Cuda(index)
            : null;
    }

    /// <summary>Why a GPU cannot be used; null when it can.</summary>
    private static string? Problem(Device device)
    {
        _ = LibtorchLibrary.Version;
        if (LibtorchLibrary.CudaProblem is { } broken)
            return $"the GPU half of libtorch cannot be loaded: {broken}";
        if (!LibtorchLibrary.HasCuda)
            return $"this libtorch is built for CPUs; {LibtorchLocation.Variable} names the torch/lib of a PyTorch with CUDA or ROCm";
        try
        {
            using var probe = Tensor.Zeros([1], DType.Float32, device);
            return null;
        }
        catch (LibtorchException fault)
        {
            return $"libtorch finds no such GPU: {fault.Message.Split('\n')[0]}";
        }
    }
}
