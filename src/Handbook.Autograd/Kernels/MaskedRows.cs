namespace Handbook.Autograd.Kernels;

/// <summary>
/// Rows that dropout's mask lies over, some at a time: the masked ones, and which elements were kept, stand in a task's memory.
/// </summary>
internal readonly unsafe ref struct MaskedRows<T> where T : unmanaged
{
    private readonly DropoutMask? mask;
    private readonly T* room;
    private readonly byte* kept;
    private readonly float factor;
    private readonly int width;

    /// <summary>Takes its memory; none where there is no mask.</summary>
    internal MaskedRows(DropoutMask? mask, ref ScratchMemory scratch, int width)
    {
        (this.mask, this.width) = (mask, width);
        if (mask is null)
            return;
        factor = mask.Factor;
        room = scratch.Take<T>((long)LowRankKernel.BlockRows * width);
        kept = scratch.Take<byte>((long)LowRankKernel.BlockRows * width);
    }

    /// <summary>Bytes that it takes.</summary>
    internal static long ScratchSize(DropoutMask? mask, int width) => mask is null ? 0
        : ScratchMemory.Size<T>((long)LowRankKernel.BlockRows * width) + ScratchMemory.Size<byte>((long)LowRankKernel.BlockRows * width);

    /// <summary>Some rows through the mask: the source itself where there is none.</summary>
    internal T* Read<TAccess, V>(T* source, long first, int count)
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        source += first * width;
        if (mask is null)
            return source;
        mask.MarkKept(first * width, count * width, kept);
        DropoutKernel.Apply<T, TAccess, V>(source, kept, Rounded<TAccess>(), (long)count * width, room);
        return room;
    }

    /// <summary>target += sums through the same mask.</summary>
    internal void AddTo<TAccess, V>(float* sums, int count, T* target)
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var (single, total) = (Rounded<TAccess>(), (long)count * width);
        var many = V.Create(single);
        var i = 0L;
        for (; i + V.Count <= total; i += V.Count)
        {
            var kept = many & DropoutKernel.Lanes<V>(this.kept + i);
            TAccess.Store(V.MultiplyAdd(V.Load(sums + i), kept, TAccess.Load<V>(target + i)), target + i);
        }
        for (; i < total; i++)
            TAccess.Write(TAccess.Read(target + i) + (kept[i] == 0 ? 0 : sums[i] * single), target + i);
    }

    // The factor is an element of the mask, and so of the rows' type.
    private float Rounded<TAccess>() where TAccess : struct, IFloatAccess<T>
    {
        var element = default(T);
        TAccess.Write(factor, &element);
        return TAccess.Read(&element);
    }
}
