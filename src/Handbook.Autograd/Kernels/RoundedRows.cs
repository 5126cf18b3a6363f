using System.Runtime.Intrinsics;

namespace Handbook.Autograd.Kernels;

/// <summary>Rows of float32 sums on their way into tensors.</summary>
internal static unsafe class RoundedRows<T, TAccess>
    where T : unmanaged
    where TAccess : struct, IFloatAccess<T>
{
    /// <summary>target = sums * factor.</summary>
    internal static void Store(float* sums, float factor, T* target, int width)
    {
        var i = 0;
        for (; i + 16 <= width; i += 16)
            TAccess.Store(Vector512.Load(sums + i) * factor, target + i);
        for (; i < width; i++)
            TAccess.Write(sums[i] * factor, target + i);
    }
}
