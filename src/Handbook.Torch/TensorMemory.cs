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

/// <summary>
/// Counts the bytes of host tensors that are made while it lives, whoever makes them: memory counts once, however many views show it.
/// There is one at a time.
/// </summary>
public sealed unsafe class TensorMemory : IDisposable
{
    private static TensorMemory? current;

    private readonly Lock gate = new();
    private readonly Dictionary<nint, (int Views, long Bytes)> blocks = [];
    private HostBytes held;
    private HostBytes peak;

    /// <summary>Begins to count.</summary>
    /// <exception cref="InvalidOperationException">Somebody counts already.</exception>
    public TensorMemory()
    {
        if (Interlocked.CompareExchange(ref current, this, null) is not null)
            throw new InvalidOperationException("The bytes of tensors are being counted already.");
    }

    /// <summary>Bytes that are held now.</summary>
    public HostBytes Held
    {
        get
        {
            lock (gate)
                return held;
        }
    }

    /// <summary>The most bytes of each kind that were held at once since the last call.</summary>
    public HostBytes TakePeak()
    {
        lock (gate)
        {
            var most = peak;
            peak = held;
            return most;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.CompareExchange(ref current, null, this);

    /// <summary>Notes a new view; gives the address of the memory behind it, 0 when nobody counts.</summary>
    internal static nint Add(nint handle, DType dtype) => current is { } memory ? memory.AddView(handle, dtype) : 0;

    /// <summary>Notes that a view is gone.</summary>
    internal static void Remove(nint block)
    {
        if (block != 0)
            current?.RemoveView(block);
    }

    private nint AddView(nint handle, DType dtype)
    {
        void* first;
        long offset, bytes;
        Operator.Check(Native.GetDataPointer(handle, &first), "aoti_torch_get_data_ptr");
        Operator.Check(Native.GetStorageOffset(handle, &offset), "aoti_torch_get_storage_offset");
        Operator.Check(Native.GetStorageSize(handle, &bytes), "aoti_torch_get_storage_size");
        if (first == null)
            return 0;
        var block = (nint)first - (nint)(offset * dtype.Size());
        lock (gate)
        {
            if (blocks.TryGetValue(block, out var known))
            {
                blocks[block] = (known.Views + 1, known.Bytes);
                return block;
            }
            blocks[block] = (1, bytes);
            held += HostBytes.Of(bytes);
            peak = HostBytes.Max(peak, held);
        }
        return block;
    }

    private void RemoveView(nint block)
    {
        lock (gate)
        {
            if (!blocks.TryGetValue(block, out var known))
                return;
            if (known.Views > 1)
            {
                blocks[block] = (known.Views - 1, known.Bytes);
                return;
            }
            blocks.Remove(block);
            held -= HostBytes.Of(known.Bytes);
        }
    }
}
