namespace Handbook.Torch;

/// <summary>Bytes by how the host's allocator holds them.</summary>
/// <param name="Heap">In blocks of its heap, which grows to the most that was ever held there and stays so.</param>
/// <param name="Mapped">In blocks that are mapped by themselves, and given back when they are freed.</param>
public readonly record struct HostBytes(double Heap, double Mapped)
{
    /// <summary>Both.</summary>
    public double Sum => Heap + Mapped;

    /// <summary>How a block of so many bytes is held.</summary>
    public static HostBytes Of(double bytes) => bytes >= AllocatorSettings.OwnMapping ? new(0, bytes) : new(bytes, 0);

    /// <summary>Each by itself.</summary>
    public static HostBytes operator +(HostBytes left, HostBytes right) => new(left.Heap + right.Heap, left.Mapped + right.Mapped);

    /// <summary>Each by itself.</summary>
    public static HostBytes operator -(HostBytes left, HostBytes right) => new(left.Heap - right.Heap, left.Mapped - right.Mapped);

    /// <summary>Each by itself.</summary>
    public static HostBytes operator *(HostBytes bytes, double factor) => new(bytes.Heap * factor, bytes.Mapped * factor);

    /// <summary>Each by itself.</summary>
    public static HostBytes Max(HostBytes left, HostBytes right) =>
        new(Math.Max(left.Heap, right.Heap), Math.Max(left.Mapped, right.Mapped));
}
