using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Torch;

/// <summary>
/// libtorch's own block product for one thread in host memory with float32 sums (<c>at::native::cpublas::brgemm</c> over
/// oneDNN's micro-kernels: AVX2, AVX-512 or AMX). It takes plain addresses, so that a kernel of ours can keep its intermediate
/// blocks in the cache. It is no part of the stable ABI: <see cref="IsSupported"/> says whether this libtorch and machine
/// have it, and whoever uses it has a way without it.
/// </summary>
public static unsafe class CpuMatrixKernels
{
    private static readonly delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void>
        BFloat16Product = (delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void>)
        Native.OptionalExport("_ZN2at6native7cpublas6brgemmEllllllbPKN3c108BFloat16ES5_Pfb");

    private static readonly delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void>
        SingleProduct = (delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void>)
        Native.OptionalExport("_ZN2at6native7cpublas6brgemmEllllllbPKfS3_Pfb");

    // BLAS as Fortran calls it, and the number of threads it may take for the calling thread alone.
    private static readonly delegate* unmanaged<
        byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>
        BlasProduct = (delegate* unmanaged<
            byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>)
        Native.OptionalExport("sgemm_");

    private static readonly delegate* unmanaged<int, int> SetBlasThreads =
        (delegate* unmanaged<int, int>)Native.OptionalExport("MKL_Set_Num_Threads_Local");

    private static readonly delegate* unmanaged<byte, void> ReleaseFunction =
        (delegate* unmanaged<byte, void>)Native.OptionalExport("_ZN2at6native7cpublas14brgemm_releaseEb");

    /// <summary>True when block products of float32 run here: the function is exported,
    /// and a product of known numbers comes out right.</summary>
    public static bool IsSupported { get; } = SingleProduct != null && IsExact(ofBFloat16: false);

    /// <summary>True when block products of bfloat16 do too: the processor has AVX-512 with bfloat16.</summary>
    public static bool HasBFloat16 { get; } = IsSupported && BFloat16Product != null && MultipliesBFloat16() && IsExact(ofBFloat16: true);

    /// <summary>
    /// True when the library's BLAS multiplies blocks of float32 much faster than oneDNN does: it knows the processor better, or oneDNN was
    /// told to do with fewer instructions. Where both know it they are equally fast, and oneDNN's products are taken.
    /// </summary>
    private static readonly bool BlasIsFaster = IsSupported && BlasProduct != null && SetBlasThreads != null && IsBlasFaster();

    /// <summary>
    /// C[m, n] = (accumulate ? C : 0) + A[m, k] · B[k, n] in bfloat16. A is row-major. Of B, pairs of rows are interleaved
    /// (element (r, c) of rows 2p and 2p + 1 at [p, c, 0..1]; k even), <paramref name="strideB"/> columns apart. C is row-major.
    /// </summary>
    public static void Multiply(
        long m, long n, long k, ushort* a, long strideA, ushort* b, long strideB, float* c, long strideC, bool accumulate) =>
        BFloat16Product(m, n, k, strideA, strideB, strideC, accumulate ? (byte)1 : (byte)0, a, b, c, 1);

    /// <summary>C[m, n] = (accumulate ? C : 0) + A[m, k] · B[k, n] in float32, all row-major.</summary>
    public static void Multiply(
        long m, long n, long k, float* a, long strideA, float* b, long strideB, float* c, long strideC, bool accumulate)
    {
        if (BlasIsFaster)
            BlasMultiply((int)m, (int)n, (int)k, a, (int)strideA, b, (int)strideB, c, (int)strideC, accumulate);
        else
            SingleProduct(m, n, k, strideA, strideB, strideC, accumulate ? (byte)1 : (byte)0, a, b, c, 0);
    }

    /// <summary>Lets go of the matrix unit's state on this thread; call once after a thread's block products.</summary>
    public static void Release()
    {
        if (ReleaseFunction != null)
            ReleaseFunction(1);
    }

    /// <summary>Columns are what BLAS takes for rows: it is given Bᵀ Aᵀ = Cᵀ.</summary>
    private static void BlasMultiply(
        int m, int n, int k, float* a, int strideA, float* b, int strideB, float* c, int strideC, bool accumulate)
    {
        var asItIs = (byte)'N';
        var (one, beta) = (1f, accumulate ? 1f : 0f);
        var before = SetBlasThreads(1);
        BlasProduct(&asItIs, &asItIs, &n, &m, &k, &one, b, &strideB, a, &strideA, &beta, c, &strideC);
        SetBlasThreads(before);
    }

    /// <summary>Both by turns on a tile that fits the first cache; the fastest of several runs counts.</summary>
    private static bool IsBlasFaster()
    {
        const int Size = 64, Rounds = 24;
        const double LeastGain = 1.4;
        var memory = (float*)NativeMemory.AlignedAlloc(3 * Size * Size * sizeof(float), 64);
        for (var i = 0; i < 3 * Size * Size; i++)
            memory[i] = (i % 251 - 125) / 256f;
        var (own, blas) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            SingleProduct(Size, Size, Size, Size, Size, Size, 0, memory, memory + Size * Size, memory + 2 * Size * Size, 0);
            own = Math.Min(own, Stopwatch.GetElapsedTime(start).TotalSeconds);
            start = Stopwatch.GetTimestamp();
            BlasMultiply(Size, Size, Size, memory, Size, memory + Size * Size, Size, memory + 2 * Size * Size, Size, accumulate: false);
            blas = Math.Min(blas, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        NativeMemory.AlignedFree(memory);
        return blas * LeastGain < own;
    }

    // An unsupported call would end the process with a C++ exception, so the processor is asked before the product is tried.
    private static bool MultipliesBFloat16()
    {
        const int BFloat16Flag = 1 << 5;
        // oneDNN itself may have been told to do with less.
        var limit = Environment.GetEnvironmentVariable("ONEDNN_MAX_CPU_ISA")
            ?? Environment.GetEnvironmentVariable("DNNL_MAX_CPU_ISA") ?? "ALL";
        if (!limit.Contains("512", StringComparison.Ordinal) && !limit.Contains("AVX10", StringComparison.OrdinalIgnoreCase)
            && limit is not ("ALL" or "DEFAULT"))
            return false;
        return RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx512F.IsSupported && Avx512BW.IsSupported
            && Avx512DQ.IsSupported && Avx512F.VL.IsSupported && (X86Base.CpuId(7, 1).Eax & BFloat16Flag) != 0;
    }

    /// <summary>Small integers are exact in bfloat16 and in sums: the products must equal integer arithmetic.</summary>
    private static bool IsExact(bool ofBFloat16)
    {
        const int M = 32, N = 64, K = 32;
        var a = stackalloc float[M * K];
        var b = stackalloc float[K * N];
        var c = stackalloc float[M * N];
        var narrowA = stackalloc ushort[M * K];
        var narrowB = stackalloc ushort[K * N];
        for (var i = 0; i < M * K; i++)
            narrowA[i] = (ushort)(BitConverter.SingleToUInt32Bits(a[i] = i % 7 - 3) >> 16);
        for (var i = 0; i < K * N; i++)
        {
            b[i] = i % 11 - 5;
            narrowB[i / (2 * N) * 2 * N + i % N * 2 + i / N % 2] = (ushort)(BitConverter.SingleToUInt32Bits(b[i]) >> 16);
        }
        if (ofBFloat16)
            Multiply(M, N, K, narrowA, K, narrowB, N, c, N, false);
        else
            Multiply(M, N, K, a, K, b, N, c, N, false);
        Release();
        for (var i = 0; i < M * N; i++)
        {
            var expected = 0f;
            for (var k = 0; k < K; k++)
                expected += a[i / N * K + k] * b[k * N + i % N];
            if (c[i] != expected)
                return false;
        }
        return true;
    }
}
