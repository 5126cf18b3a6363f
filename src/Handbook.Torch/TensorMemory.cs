namespace Handbook.Torch;

/// <summary>
/// Counts the bytes of host tensors that its thread, which is the one that runs operations, makes while it lives: memory counts once,
/// however many views show it. There is one at a time.
/// </summary>
public sealed unsafe class TensorMemory : IDisposable
{
    [ThreadStatic]
    private static TensorMemory? current;

    private readonly Dictionary<nint, (int Views, long Bytes)> blocks = [];
    private HostBytes held;
    private HostBytes peak;

    /// <summary>Begins to count.</summary>
    /// <exception cref="InvalidOperationException">Somebody counts already.</exception>
    public TensorMemory()
    {
        if (current is not null)
            throw new InvalidOperationException("The bytes of this thread's tensors are being counted already.");
        current = this;
    }

    /// <summary>Bytes that are held now.</summary>
    public HostBytes Held => held;

    /// <summary>The most bytes of each kind that were held at once since the last call.</summary>
    public HostBytes TakePeak()
    {
        var most = peak;
        peak = held;
        return most;
    }

    /// <inheritdoc/>
    public void Dispose() => current = null;

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
        var isKnown = blocks.TryGetValue(block, out var known);
        blocks[block] = isKnown ? (known.Views + 1, known.Bytes) : (1, bytes);
        if (isKnown)
            return block;
        held += HostBytes.Of(bytes);
        peak = HostBytes.Max(peak, held);
        return block;
    }

    private void RemoveView(nint block)
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
