using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// How the operands of a block product lie in memory for one element type. A left operand A[m, k] is row-major; a right operand
/// B[k, n] begins each pair of rows at a multiple of 2 * stride elements. Where a left operand is written from registers,
/// its columns may be shuffled within groups of 32; <see cref="PackShuffled"/> shuffles the rows of the right operand alike.
/// </summary>
internal unsafe interface IBlockFormat<T> : IFloatAccess<T> where T : unmanaged
{
    /// <summary>C[m, n] = (accumulate ? C : 0) + A[m, k] · B[k, n].</summary>
    static abstract void Multiply(long m, long n, long k, T* a, long strideA, T* b, long strideB, float* c, long strideC, bool accumulate);

    /// <summary>Writes 32 columns of a row of a left operand, shuffled.</summary>
    static abstract void StoreLeft(Vector512<float> first, Vector512<float> second, T* target);

    /// <summary>Writes 16 columns, from <paramref name="column"/> on, of two neighbouring rows of a right operand.</summary>
    static abstract void StoreRight(Vector512<float> even, Vector512<float> odd, T* pair, long column, long stride);

    /// <summary>Reads what <see cref="StoreRight"/> wrote.</summary>
    static abstract (Vector512<float> Even, Vector512<float> Odd) LoadRight(T* pair, long column, long stride);

    /// <summary>Overwrites one element of a row that <see cref="StoreLeft"/> wrote.</summary>
    static abstract void SetLeft(float value, T* row, long column);

    /// <summary>Overwrites one element that <see cref="StoreRight"/> wrote.</summary>
    static abstract void SetRight(float value, T* pair, bool odd, long column, long stride);

    /// <summary>Makes a right operand of a row-major matrix: zeros fill up to the padded size. Rows keep their order.</summary>
    static abstract void Pack(T* source, long sourceStride, int rows, int columns, T* packed, int paddedRows, int paddedColumns);

    /// <summary>As <see cref="Pack"/>, with the rows shuffled in groups of 32 as <see cref="StoreLeft"/> shuffles columns.</summary>
    static abstract void PackShuffled(T* source, long sourceStride, int rows, int columns, T* packed, int paddedRows, int paddedColumns);
}

/// <summary>float32: right operands are row-major, nothing is shuffled.</summary>
internal readonly unsafe struct SingleBlocks : IBlockFormat<float>
{
    public static Vector512<float> Load(float* source) => SingleAccess.Load(source);

    public static void Store(Vector512<float> value, float* target) => SingleAccess.Store(value, target);

    public static float Read(float* source) => *source;

    public static void Write(float value, float* target) => *target = value;

    public static Vector512<float> Round(Vector512<float> value) => value;

    public static void Multiply(long m, long n, long k, float* a, long strideA, float* b, long strideB, float* c, long strideC, bool accumulate) =>
        CpuMatrixKernels.Multiply(m, n, k, a, strideA, b, strideB, c, strideC, accumulate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLeft(Vector512<float> first, Vector512<float> second, float* target)
    {
        first.Store(target);
        second.Store(target + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRight(Vector512<float> even, Vector512<float> odd, float* pair, long column, long stride)
    {
        even.Store(pair + column);
        odd.Store(pair + stride + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Even, Vector512<float> Odd) LoadRight(float* pair, long column, long stride) =>
        (Vector512.Load(pair + column), Vector512.Load(pair + stride + column));

    public static void SetLeft(float value, float* row, long column) => row[column] = value;

    public static void SetRight(float value, float* pair, bool odd, long column, long stride) => pair[(odd ? stride : 0) + column] = value;

    public static void Pack(float* source, long sourceStride, int rows, int columns, float* packed, int paddedRows, int paddedColumns)
    {
        for (var row = 0; row < paddedRows; row++)
        {
            var target = new Span<float>(packed + (long)row * paddedColumns, paddedColumns);
            if (row < rows)
                new ReadOnlySpan<float>(source + row * sourceStride, columns).CopyTo(target);
            target[(row < rows ? columns : 0)..].Clear();
        }
    }

    public static void PackShuffled(float* source, long sourceStride, int rows, int columns, float* packed, int paddedRows, int paddedColumns) =>
        Pack(source, sourceStride, rows, columns, packed, paddedRows, paddedColumns);
}

/// <summary>bfloat16: right operands interleave pairs of rows; left operands written from registers interleave column i and i + 16.</summary>
internal readonly unsafe struct BFloat16Blocks : IBlockFormat<ushort>
{
    private const int Group = 32;

    public static Vector512<float> Load(ushort* source) => BFloat16Access.Load(source);

    public static void Store(Vector512<float> value, ushort* target) => BFloat16Access.Store(value, target);

    public static float Read(ushort* source) => BFloat16Access.Read(source);

    public static void Write(float value, ushort* target) => BFloat16Access.Write(value, target);

    public static Vector512<float> Round(Vector512<float> value) => BFloat16Access.Round(value);

    public static void Multiply(long m, long n, long k, ushort* a, long strideA, ushort* b, long strideB, float* c, long strideC, bool accumulate) =>
        CpuMatrixKernels.Multiply(m, n, k, a, strideA, b, strideB, c, strideC, accumulate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLeft(Vector512<float> first, Vector512<float> second, ushort* target) =>
        Combine(first, second).Store((uint*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRight(Vector512<float> even, Vector512<float> odd, ushort* pair, long column, long stride) =>
        Combine(even, odd).Store((uint*)pair + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Even, Vector512<float> Odd) LoadRight(ushort* pair, long column, long stride)
    {
        var both = Vector512.Load((uint*)pair + column);
        return (Vector512.ShiftLeft(both, 16).AsSingle(), (both & Vector512.Create(0xFFFF0000u)).AsSingle());
    }

    public static void SetLeft(float value, ushort* row, long column) =>
        Write(value, row + column / Group * Group + column % Group * 2 % Group + column % Group / (Group / 2));

    public static void SetRight(float value, ushort* pair, bool odd, long column, long stride) => Write(value, pair + 2 * column + (odd ? 1 : 0));

    public static void Pack(ushort* source, long sourceStride, int rows, int columns, ushort* packed, int paddedRows, int paddedColumns)
    {
        for (var row = 0; row < paddedRows; row += 2)
            Interleave(Row(source, sourceStride, row, rows), Row(source, sourceStride, row + 1, rows), columns, packed + (long)row * paddedColumns, paddedColumns);
    }

    public static void PackShuffled(ushort* source, long sourceStride, int rows, int columns, ushort* packed, int paddedRows, int paddedColumns)
    {
        for (var row = 0; row < paddedRows; row += 2)
        {
            var first = row / Group * Group + row % Group / 2;
            Interleave(
                Row(source, sourceStride, first, rows), Row(source, sourceStride, first + Group / 2, rows), columns,
                packed + (long)row * paddedColumns, paddedColumns);
        }
    }

    private static ushort* Row(ushort* source, long stride, int row, int rows) => row < rows ? source + row * stride : null;

    /// <summary>Two rows side by side, element by element; a missing row counts as zeros.</summary>
    private static void Interleave(ushort* low, ushort* high, int columns, ushort* packed, int paddedColumns)
    {
        var target = (uint*)packed;
        var column = 0;
        if (low != null && high != null)
        {
            for (; column + 16 <= columns; column += 16)
            {
                var a = Avx512F.ConvertToVector512UInt32(Vector256.Load(low + column));
                var b = Avx512F.ConvertToVector512UInt32(Vector256.Load(high + column));
                (a | Vector512.ShiftLeft(b, 16)).Store(target + column);
            }
        }
        for (; column < columns; column++)
            target[column] = (low == null ? 0u : low[column]) | (high == null ? 0u : (uint)high[column] << 16);
        new Span<uint>(target + columns, paddedColumns - columns).Clear();
    }

    /// <summary>
    /// Rounds to nearest, ties away from zero (one operation cheaper than ties to even, same bound), and puts the second
    /// number of each lane above the first.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Combine(Vector512<float> low, Vector512<float> high)
    {
        const byte OrOfAnd = 0xF8;
        var half = Vector512.Create(0x8000u);
        return Avx512F.TernaryLogic(
            Vector512.ShiftRightLogical(low.AsUInt32() + half, 16), high.AsUInt32() + half, Vector512.Create(0xFFFF0000u), OrOfAnd);
    }
}
