namespace Handbook.Torch;

/// <summary>Kind of a device; the values are PyTorch's <c>DeviceType</c> codes.</summary>
public enum DeviceKind
{
    /// <summary>The host's processors.</summary>
    Cpu = 0,
    /// <summary>An NVIDIA (or, in ROCm builds, AMD) accelerator.</summary>
    Cuda = 1,
    /// <summary>Shapes without storage.</summary>
    Meta = 14,
}

/// <summary>Where a tensor lives.</summary>
/// <param name="Kind">Kind of the device.</param>
/// <param name="Index">Which one of its kind; 0 on the host.</param>
public readonly record struct Device(DeviceKind Kind, int Index = 0)
{
    /// <summary>The host.</summary>
    public static Device Cpu => new(DeviceKind.Cpu);

    /// <summary>The accelerator with this index.</summary>
    public static Device Cuda(int index = 0) => new(DeviceKind.Cuda, index);

    /// <summary>Shapes without elements: what a run would do, without doing it.</summary>
    public static Device Meta => new(DeviceKind.Meta);

    /// <summary><c>cpu</c> or <c>cuda:0</c>.</summary>
    public override string ToString() =>
        Kind == DeviceKind.Cuda ? $"cuda:{Index}" : Kind.ToString().ToLowerInvariant();
}
