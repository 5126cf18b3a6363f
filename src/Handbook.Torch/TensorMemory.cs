namespace Handbook.Torch;

/// <summary>
/// Counts the bytes of host tensors that are made while it lives, whoever makes them: memory counts once, however many views show it.
/// There is one at a time.
/// </summary>
public sealed unsafe class TensorMemory : IDisposable
{
    private static TensorMemory? current;

    private readonly Lock gate = new();
    private readonly Dictionary<nint, (int Views, long Bytes)> blocks = [];
    private long held;
    private long peak;

    /// <summary>Begins to count.</summary>
    /// <exception cref="InvalidOperationException">Somebody counts already.</exception>
    public TensorMemory()
    {
        if (Interlocked.CompareExchange(ref current, this, null) is not null)
            throw new InvalidOperationException("The bytes of tensors are being counted already.");
    }

    /// <summary>Bytes that are held now.</summary>
    public long Held
    {
        get
        {
            lock (gate)
                return held;
        }
    }

    /// <summary>The most bytes that were held at once since the last call.</summary>
    public long TakePeak()
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
            held += bytes;
            peak = Math.Max(peak, held);
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
            held -= known.Bytes;
        }
    }
}
