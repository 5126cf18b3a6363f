using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <content>
/// Float32 in registers. Lane j of a sum holds the products of inputs j, j + lanes, ...; lanes are added by
/// <see cref="ILanes{TSelf}.StoreSums"/> and what is left of the inputs one by one, whichever tile a row falls into.
/// </content>
internal static unsafe partial class RowProduct
{
    /// <summary>Rows and outputs whose sums stand in registers together.</summary>
    private const int Tile = 4;

    /// <summary>Weights that a thread has in its cache as float32 while all rows go by.</summary>
    private const int MostWide = 1 << 16;

    private static void Multiply<V>(Tensor x, IReadOnlyList<RowTarget> targets) where V : unmanaged, ILanes<V>
    {
        var input = (nint)x.Pointer;
        var (rows, inputs) = ((int)x.Size(0), (int)x.Size(1));
        var counts = targets.Select(target => Parts(inputs, target.Weight.Outputs)).ToArray();
        TaskQueue.Run(counts.Sum(), task =>
        {
            var i = 0;
            for (; task >= counts[i]; i++)
                task -= counts[i];
            if (targets[i].DType == DType.Float32)
                Part<float, SingleAccess, V>((float*)input, rows, inputs, targets[i], task);
            else
                Part<ushort, BFloat16Access, V>((float*)input, rows, inputs, targets[i], task);
        });
    }

    /// <summary>Some outputs of all rows.</summary>
    private static void Part<T, TAccess, V>(float* x, int rows, int inputs, RowTarget target, int part)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var (weight, width) = (target.Weight, Width(inputs, target.Weight.Outputs));
        var first = (long)part * width;
        var count = (int)Math.Min(width, weight.Outputs - first);
        // A few rows are through sooner than their weights are widened.
        var widens = rows >= Tile && typeof(T) != typeof(float);
        var scratch = new ScratchMemory(ScratchMemory.Size<float>((long)rows * count)
            + (weight.IsMade ? ScratchMemory.Size<T>(count * inputs) : 0) + (widens ? ScratchMemory.Size<float>(count * inputs) : 0));
        var sums = scratch.Take<float>((long)rows * count);
        var source = weight.Rows<T, TAccess, V>(first, count, weight.IsMade ? scratch.Take<T>(count * inputs) : null);
        if (widens)
        {
            var wide = scratch.Take<float>(count * inputs);
            Widen<T, TAccess, V>(source, wide, count * inputs);
            Multiply<float, SingleAccess, V>(x, wide, sums, rows, inputs, count);
        }
        else
        {
            Multiply<T, TAccess, V>(x, source, sums, rows, inputs, count);
        }
        var bias = target.Bias is null ? null : (float*)target.Bias.Pointer + first;
        for (var row = 0; row < rows; row++, sums += count)
        {
            var place = row * weight.Outputs + first;
            if (target.Result.DType == DType.BFloat16)
                RowProducts.Round<ushort, BFloat16Access, V>(sums, bias, (ushort*)target.Result.Pointer + place, count);
            else
                RowProducts.Round<float, SingleAccess, V>(sums, bias, (float*)target.Result.Pointer + place, count);
        }
    }

    private static int Parts(int inputs, long outputs)
    {
        var width = Width(inputs, outputs);
        return (int)((outputs + width - 1) / width);
    }

    /// <summary>Outputs of a task: equal parts, a whole number of tiles each.</summary>
    private static int Width(int inputs, long outputs)
    {
        var most = Math.Clamp(MostWide / inputs, 4 * Tile, 32 * Tile);
        var parts = (outputs + most - 1) / most;
        return (int)((outputs + parts * Tile - 1) / (parts * Tile)) * Tile;
    }

    private static void Widen<T, TAccess, V>(T* source, float* target, int count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
            TAccess.Load<V>(source + i).Store(target + i);
        for (; i < count; i++)
            target[i] = TAccess.Read(source + i);
    }

    /// <summary>All rows with the weights of some outputs.</summary>
    private static void Multiply<T, TAccess, V>(float* x, T* w, float* y, int rows, int inputs, int count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var whole = count - count % Tile;
        var row = 0;
        for (; row + Tile <= rows; row += Tile, x += (long)Tile * inputs, y += Tile * count)
        {
            for (var output = 0; output < whole; output += Tile)
                Tile4x4<T, TAccess, V>(x, w + (long)output * inputs, y + output, inputs, count);
            for (var i = 0; i < Tile; i++)
                Rest<T, TAccess, V>(x + (long)i * inputs, w, y + i * count, inputs, whole, count);
        }
        for (; row < rows; row++, x += inputs, y += count)
        {
            for (var output = 0; output < whole; output += Tile)
                Tile1x4<T, TAccess, V>(x, w + (long)output * inputs, y + output, inputs);
            Rest<T, TAccess, V>(x, w, y, inputs, whole, count);
        }
    }

    private static void Tile4x4<T, TAccess, V>(float* x, T* w, float* y, int inputs, int stride)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        V s00 = default, s01 = default, s02 = default, s03 = default;
        V s10 = default, s11 = default, s12 = default, s13 = default;
        V s20 = default, s21 = default, s22 = default, s23 = default;
        V s30 = default, s31 = default, s32 = default, s33 = default;
        T* w1 = w + inputs, w2 = w + 2L * inputs, w3 = w + 3L * inputs;
        float* x1 = x + inputs, x2 = x + 2L * inputs, x3 = x + 3L * inputs;
        var i = 0;
        for (; i + V.Count <= inputs; i += V.Count)
        {
            var (b0, b1, b2, b3) = (TAccess.Load<V>(w + i), TAccess.Load<V>(w1 + i), TAccess.Load<V>(w2 + i), TAccess.Load<V>(w3 + i));
            var a = V.Load(x + i);
            s00 = V.MultiplyAdd(a, b0, s00);
            s01 = V.MultiplyAdd(a, b1, s01);
            s02 = V.MultiplyAdd(a, b2, s02);
            s03 = V.MultiplyAdd(a, b3, s03);
            a = V.Load(x1 + i);
            s10 = V.MultiplyAdd(a, b0, s10);
            s11 = V.MultiplyAdd(a, b1, s11);
            s12 = V.MultiplyAdd(a, b2, s12);
            s13 = V.MultiplyAdd(a, b3, s13);
            a = V.Load(x2 + i);
            s20 = V.MultiplyAdd(a, b0, s20);
            s21 = V.MultiplyAdd(a, b1, s21);
            s22 = V.MultiplyAdd(a, b2, s22);
            s23 = V.MultiplyAdd(a, b3, s23);
            a = V.Load(x3 + i);
            s30 = V.MultiplyAdd(a, b0, s30);
            s31 = V.MultiplyAdd(a, b1, s31);
            s32 = V.MultiplyAdd(a, b2, s32);
            s33 = V.MultiplyAdd(a, b3, s33);
        }
        V.StoreSums(s00, s01, s02, s03, y);
        V.StoreSums(s10, s11, s12, s13, y + stride);
        V.StoreSums(s20, s21, s22, s23, y + 2 * stride);
        V.StoreSums(s30, s31, s32, s33, y + 3 * stride);
        for (var row = 0; i < inputs && row < Tile; row++)
            AddTail<T, TAccess>(x + (long)row * inputs, w, y + row * stride, inputs, i);
    }

    private static void Tile1x4<T, TAccess, V>(float* x, T* w, float* y, int inputs)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        V s0 = default, s1 = default, s2 = default, s3 = default;
        T* w1 = w + inputs, w2 = w + 2L * inputs, w3 = w + 3L * inputs;
        var i = 0;
        for (; i + V.Count <= inputs; i += V.Count)
        {
            var a = V.Load(x + i);
            s0 = V.MultiplyAdd(a, TAccess.Load<V>(w + i), s0);
            s1 = V.MultiplyAdd(a, TAccess.Load<V>(w1 + i), s1);
            s2 = V.MultiplyAdd(a, TAccess.Load<V>(w2 + i), s2);
            s3 = V.MultiplyAdd(a, TAccess.Load<V>(w3 + i), s3);
        }
        V.StoreSums(s0, s1, s2, s3, y);
        if (i < inputs)
            AddTail<T, TAccess>(x, w, y, inputs, i);
    }

    /// <summary>The outputs that fill no tile.</summary>
    private static void Rest<T, TAccess, V>(float* x, T* w, float* y, int inputs, int first, int count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var sums = stackalloc float[Tile];
        for (var output = first; output < count; output++)
        {
            var source = w + (long)output * inputs;
            V sum = default;
            var i = 0;
            for (; i + V.Count <= inputs; i += V.Count)
                sum = V.MultiplyAdd(V.Load(x + i), TAccess.Load<V>(source + i), sum);
            V.StoreSums(sum, sum, sum, sum, sums);
            y[output] = Tail<T, TAccess>(x, source, inputs, i, sums[0]);
        }
    }

    private static void AddTail<T, TAccess>(float* x, T* w, float* y, int inputs, int done)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
    {
        for (var output = 0; output < Tile; output++)
            y[output] = Tail<T, TAccess>(x, w + (long)output * inputs, inputs, done, y[output]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Tail<T, TAccess>(float* x, T* w, int inputs, int done, float sum)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
    {
        for (var i = done; i < inputs; i++)
            sum = MathF.FusedMultiplyAdd(x[i], TAccess.Read(w + i), sum);
        return sum;
    }
}
