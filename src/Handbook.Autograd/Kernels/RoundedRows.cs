
namespace Handbook.Autograd.Kernels;

/// <summary>Rows of float32 sums on their way into tensors.</summary>
internal static unsafe class RoundedRows<T, TAccess, V>
    where T : unmanaged
    where TAccess : struct, IFloatAccess<T>
    where V : unmanaged, ILanes<V>
{
    /// <summary>target = sums * factor.</summary>
    internal static void Store(float* sums, float factor, T* target, int width)
    {
        var i = 0;
        for (; i + V.Count <= width; i += V.Count)
            TAccess.Store(V.Load(sums + i) * factor, target + i);
        for (; i < width; i++)
            TAccess.Write(sums[i] * factor, target + i);
    }
}
