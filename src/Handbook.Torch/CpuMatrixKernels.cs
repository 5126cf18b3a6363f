using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>
/// libtorch's own block product for one thread on bfloat16 in host memory with float32 sums (<c>at::native::cpublas::brgemm</c>
/// over oneDNN's micro-kernels, AVX-512 or AMX). It takes plain addresses, so that a kernel of ours can keep its intermediate
/// blocks in the cache. It is no part of the stable ABI: <see cref="IsSupported"/> says whether this libtorch and machine
/// have it, and whoever uses it has a way without it.
/// </summary>
public static unsafe class CpuMatrixKernels
{
    private static readonly delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void> Product =
        (delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void>)
        Native.OptionalExport("_ZN2at6native7cpublas6brgemmEllllllbPKN3c108BFloat16ES5_Pfb");

    private static readonly delegate* unmanaged<long, long, long, long, sbyte, sbyte, void*, void*, void> PackFunction =
        (delegate* unmanaged<long, long, long, long, sbyte, sbyte, void*, void*, void>)
        Native.OptionalExport("_ZN2at6native7cpublas4packEllllN3c1010ScalarTypeES3_PKvPv");

    private static readonly delegate* unmanaged<byte, void> ReleaseFunction =
        (delegate* unmanaged<byte, void>)Native.OptionalExport("_ZN2at6native7cpublas14brgemm_releaseEb");

    /// <summary>True when bfloat16 block products run here.</summary>
    public static bool IsSupported { get; } = Probe();

    /// <summary>
    /// C[m, n] = (accumulate ? C : 0) + A[m, k] · B[k, n]. A is row-major bfloat16; B is packed by <see cref="Pack"/>
    /// (pairs of rows interleaved: element (r, c) of rows 2p and 2p+1 at [p, c, 0..1]; k even); C is row-major float32.
    /// </summary>
    public static void Multiply(long m, long n, long k, ushort* a, long strideA, ushort* packedB, long strideB, float* c, long strideC, bool accumulate) =>
        Product(m, n, k, strideA, strideB, strideC, accumulate ? (byte)1 : (byte)0, a, packedB, c, 1);

    /// <summary>Interleaves pairs of rows of B[k, n] for <see cref="Multiply"/>; the result has the same size.</summary>
    public static void Pack(long k, long n, ushort* b, long strideB, ushort* packed, long stridePacked) =>
        PackFunction(k, n, strideB, stridePacked, (sbyte)DType.BFloat16, (sbyte)DType.BFloat16, b, packed);

    /// <summary>Lets go of the matrix unit's state on this thread; call once after a thread's block products.</summary>
    public static void Release()
    {
        if (ReleaseFunction != null)
            ReleaseFunction(1);
    }

    private static bool Probe()
    {
        if (Product == null || PackFunction == null || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return false;
        var canPack = (delegate* unmanaged<sbyte, byte>)Native.OptionalExport("_ZN2at6native7cpublas10could_packEN3c1010ScalarTypeE");
        return canPack != null && canPack((sbyte)DType.BFloat16) != 0 && System.Runtime.Intrinsics.X86.Avx512F.IsSupported;
    }
}
