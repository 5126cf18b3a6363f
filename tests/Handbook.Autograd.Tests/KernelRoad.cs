using Handbook.Autograd.Kernels;

namespace Handbook.Autograd.Tests;

/// <summary>
/// Lets the tests of a class take the kernels of another processor: fewer lanes, and with them bfloat16 widened in the cache. Lanes that
/// this processor lacks are left out.
/// </summary>
public abstract class KernelRoad : IDisposable
{
    private readonly int lanes = FusedKernels.Lanes;
    private readonly bool multipliesBFloat16 = FusedKernels.MultipliesBFloat16;

    protected KernelRoad(int lanes)
    {
        FusedKernels.Lanes = Math.Min(lanes, this.lanes);
        FusedKernels.MultipliesBFloat16 = multipliesBFloat16 && lanes == 16;
    }

    public void Dispose()
    {
        (FusedKernels.Lanes, FusedKernels.MultipliesBFloat16) = (lanes, multipliesBFloat16);
        GC.SuppressFinalize(this);
    }
}
