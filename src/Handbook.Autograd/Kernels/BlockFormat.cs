using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// How the operands of a block product lie in memory for one element type. A left operand A[m, k] is row-major; a right operand
/// B[k, n] begins each pair of rows at a multiple of 2 * stride elements. Where a left operand is written from registers,
/// its columns may be shuffled within groups of two registers; <see cref="PackShuffled"/> shuffles the rows of the right operand alike.
/// </summary>
internal unsafe interface IBlockFormat<T, V> : IFloatAccess<T>
    where T : unmanaged
    where V : unmanaged, ILanes<V>
{
    /// <summary>C[m, n] = (accumulate ? C : 0) + A[m, k] · B[k, n].</summary>
    static abstract void Multiply(long m, long n, long k, T* a, long strideA, T* b, long strideB, float* c, long strideC, bool accumulate);

    /// <summary>Writes two registers of columns of a row of a left operand, shuffled.</summary>
    static abstract void StoreLeft(V first, V second, T* target);

    /// <summary>Writes a register of columns, from <paramref name="column"/> on, of two neighbouring rows of a right operand.</summary>
    static abstract void StoreRight(V even, V odd, T* pair, long column, long stride);

    /// <summary>Reads what <see cref="StoreRight"/> wrote.</summary>
    static abstract (V Even, V Odd) LoadRight(T* pair, long column, long stride);

    /// <summary>Overwrites one element of a row that <see cref="StoreLeft"/> wrote.</summary>
    static abstract void SetLeft(float value, T* row, long column);

    /// <summary>Overwrites one element that <see cref="StoreRight"/> wrote.</summary>
    static abstract void SetRight(float value, T* pair, bool odd, long column, long stride);

    /// <summary>Makes a right operand of a row-major matrix: zeros fill up to the padded size. Rows keep their order.</summary>
    static abstract void Pack(T* source, long sourceStride, int rows, int columns, T* packed, int paddedRows, int paddedColumns);

    /// <summary>As <see cref="Pack"/>, with the rows shuffled in groups as <see cref="StoreLeft"/> shuffles columns.</summary>
    static abstract void PackShuffled(T* source, long sourceStride, int rows, int columns, T* packed, int paddedRows, int paddedColumns);
}

/// <summary>float32: right operands are row-major, nothing is shuffled.</summary>
internal readonly unsafe struct SingleBlocks<V> : IBlockFormat<float, V> where V : unmanaged, ILanes<V>
{
    public static U Load<U>(float* source) where U : unmanaged, ILanes<U> => SingleAccess.Load<U>(source);

    public static void Store<U>(U value, float* target) where U : unmanaged, ILanes<U> => SingleAccess.Store(value, target);

    public static void StoreByTurns<U>(U even, U odd, float* target) where U : unmanaged, ILanes<U> =>
        SingleAccess.StoreByTurns(even, odd, target);

    public static float Read(float* source) => *source;

    public static void Write(float value, float* target) => *target = value;

    public static U Round<U>(U value) where U : unmanaged, ILanes<U> => value;

    public static void Multiply(
        long m, long n, long k, float* a, long strideA, float* b, long strideB, float* c, long strideC, bool accumulate) =>
        BlockProduct<V>.Multiply(m, n, k, a, strideA, b, strideB, c, strideC, accumulate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLeft(V first, V second, float* target)
    {
        first.Store(target);
        second.Store(target + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRight(V even, V odd, float* pair, long column, long stride)
    {
        even.Store(pair + column);
        odd.Store(pair + stride + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Even, V Odd) LoadRight(float* pair, long column, long stride) =>
        (V.Load(pair + column), V.Load(pair + stride + column));

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

    public static void PackShuffled(
        float* source, long sourceStride, int rows, int columns, float* packed, int paddedRows, int paddedColumns) =>
        Pack(source, sourceStride, rows, columns, packed, paddedRows, paddedColumns);
}

/// <summary>bfloat16: right operands interleave pairs of rows; left operands written from registers interleave a column and that of the
/// next register.</summary>
internal readonly unsafe struct BFloat16Blocks<V> : IBlockFormat<ushort, V> where V : unmanaged, ILanes<V>
{
    /// <summary>Columns that are shuffled among themselves.</summary>
    private static int Group => 2 * V.Count;

    public static U Load<U>(ushort* source) where U : unmanaged, ILanes<U> => BFloat16Access.Load<U>(source);

    public static void Store<U>(U value, ushort* target) where U : unmanaged, ILanes<U> => BFloat16Access.Store(value, target);

    public static void StoreByTurns<U>(U even, U odd, ushort* target) where U : unmanaged, ILanes<U> =>
        BFloat16Access.StoreByTurns(even, odd, target);

    public static float Read(ushort* source) => BFloat16Access.Read(source);

    public static void Write(float value, ushort* target) => BFloat16Access.Write(value, target);

    public static U Round<U>(U value) where U : unmanaged, ILanes<U> => BFloat16Access.Round(value);

    public static void Multiply(
        long m, long n, long k, ushort* a, long strideA, ushort* b, long strideB, float* c, long strideC, bool accumulate) =>
        BlockProduct<V>.Multiply(m, n, k, a, strideA, b, strideB, c, strideC, accumulate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLeft(V first, V second, ushort* target) =>
        Combine(first, second).Store((float*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRight(V even, V odd, ushort* pair, long column, long stride) =>
        Combine(even, odd).Store((float*)pair + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Even, V Odd) LoadRight(ushort* pair, long column, long stride)
    {
        var both = V.Load((float*)pair + column);
        return (V.ShiftLeft(both, 16), both & V.CreateBits(0xFFFF0000u));
    }

    public static void SetLeft(float value, ushort* row, long column) =>
        Write(value, row + column / Group * Group + column % Group * 2 % Group + column % Group / (Group / 2));

    public static void SetRight(float value, ushort* pair, bool odd, long column, long stride) =>
        Write(value, pair + 2 * column + (odd ? 1 : 0));

    public static void Pack(ushort* source, long sourceStride, int rows, int columns, ushort* packed, int paddedRows, int paddedColumns)
    {
        for (var row = 0; row < paddedRows; row += 2)
            Interleave(Row(source, sourceStride, row, rows), Row(source, sourceStride, row + 1, rows), columns,
                packed + (long)row * paddedColumns, paddedColumns);
    }

    public static void PackShuffled(
        ushort* source, long sourceStride, int rows, int columns, ushort* packed, int paddedRows, int paddedColumns)
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
        if (low != null)
            PairInterleaving.Run<V>(low, high, columns, (uint*)packed);
        new Span<uint>((uint*)packed, paddedColumns)[(low == null ? 0 : columns)..].Clear();
    }

    /// <summary>
    /// Rounds to nearest, ties away from zero (one operation cheaper than ties to even, same bound), and puts the second
    /// number of each lane above the first.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Combine(V low, V high)
    {
        var half = V.CreateBits(0x8000u);
        return V.ShiftRight(V.AddBits(low, half), 16) | (V.AddBits(high, half) & V.CreateBits(0xFFFF0000u));
    }
}
