using System.Runtime.InteropServices;

namespace Handbook.Autograd.Kernels;

/// <summary>Working memory of one thread for the duration of one task: kept from task to task, so that it stays in the cache.</summary>
internal unsafe ref struct ScratchMemory
{
    private const nuint Alignment = 64;

    [ThreadStatic]
    private static byte* memory;

    [ThreadStatic]
    private static nuint capacity;

    private byte* next;
    private readonly byte* end;

    /// <summary>Takes the thread's memory, grown to at least this size. What an earlier task left in it is still there.</summary>
    internal ScratchMemory(long bytes)
    {
        if (capacity < (nuint)bytes)
        {
            NativeMemory.AlignedFree(memory);
            memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            capacity = (nuint)bytes;
        }
        next = memory;
        end = memory + bytes;
    }

    /// <summary>Bytes that <see cref="Take{T}"/> uses for so many elements.</summary>
    internal static long Size<T>(long count) where T : unmanaged =>
        (count * sizeof(T) + (long)Alignment - 1) / (long)Alignment * (long)Alignment;

    /// <summary>The next piece, aligned to a cache line.</summary>
    internal T* Take<T>(long count) where T : unmanaged
    {
        var piece = (T*)next;
        next += Size<T>(count);
        if (next > end)
            throw new InvalidOperationException("A task took more working memory than it asked for.");
        return piece;
    }
}
