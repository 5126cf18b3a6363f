using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// x Wᵀ + b for a few rows, where a row's result does not depend on how many others there are: every element is one sum over
/// the inputs in the same order. A general matrix product chooses its kernel by the number of rows and so rounds differently,
/// which is enough to turn a token when a batch grows.
/// </summary>
internal static unsafe partial class RowProduct
{
    private const int Tile = 4;

    /// <summary>Σ x Wᵀ + b.</summary>
    internal static Tensor Sum(IReadOnlyList<ProductTerm> terms, Tensor? bias)
    {
        using var scope = new TensorScope();
        var sum = Apply(terms[0].Rows, terms[0].Weight, bias);
        foreach (var (rows, weight) in terms.Skip(1))
            sum = sum.Add(Apply(rows, weight, null));
        return scope.Keep(sum);
    }

    /// <summary>Multiplies.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <returns>[rows, outputs] in the input's type.</returns>
    internal static Tensor Apply(Tensor input, MatrixOperand weight, Tensor? bias)
    {
        using var scope = new TensorScope();
        // Codes are read in the input's type, a dense weight in its own.
        var dtype = weight.IsQuantized ? input.DType : weight.ToTensor(input.DType).DType;
        if (KernelTable.Of(Operation.RowProduct, weight.Device.Kind, dtype) == Implementation.Plain || !weight.Fits(dtype))
            return scope.Keep(input.Linear(weight.ToTensor(dtype), bias));
        var y = Tensor.Empty([input.Size(0), weight.Size(0)], DType.Float32);
        var panels = weight.Panels;
        if (BlocksFit(input, dtype))
            FusedKernels.ForWidth(MultiplyBlocks<Lanes16>, MultiplyBlocks<Lanes8>, MultiplyBlocks<Lanes4>)(input.Contiguous(), panels, y);
        else
        {
            var wide = input.To(DType.Float32).Contiguous();
            FusedKernels.ForWidth(Multiply<Lanes16>, Multiply<Lanes8>, Multiply<Lanes4>)(wide, panels, dtype, y);
        }
        return scope.Keep((bias is null ? y : y.Add(bias)).To(input.DType));
    }

    /// <summary>Room for rows that have to be made; the thread keeps it.</summary>
    private static T* Room<T>(long count) where T : unmanaged => new ScratchMemory(ScratchMemory.Size<T>(count)).Take<T>(count);

    private static void Multiply<V>(Tensor x, WeightPanels weight, DType dtype, Tensor y) where V : unmanaged, ILanes<V>
    {
        if (dtype == DType.Float32)
            Multiply<float, SingleAccess, V>(x, weight, y);
        else
            Multiply<ushort, BFloat16Access, V>(x, weight, y);
    }

    private static void Multiply<T, TAccess, V>(Tensor x, WeightPanels weight, Tensor y)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var (rows, inputs, outputs) = ((int)x.Size(0), (int)x.Size(1), weight.Outputs);
        var (a, c) = ((nint)x.Pointer, (nint)y.Pointer);
        // Work below this many multiplications is done sooner than it is handed out.
        var grain = Math.Max(1, (1 << 16) / ((long)inputs * rows * Tile));
        ParallelWork.For((outputs + Tile - 1) / Tile, grain, (begin, end) =>
        {
            var room = weight.IsMade ? Room<T>(Tile * inputs) : null;
            for (var block = begin; block < end; block++)
            {
                var output = block * Tile;
                var whole = output + Tile <= outputs;
                var source = weight.Rows<T, TAccess, V>(output, (int)Math.Min(Tile, outputs - output), room);
                var row = 0;
                for (; whole && row + Tile <= rows; row += Tile)
                    Tile4x4<T, TAccess, V>((float*)a + (long)row * inputs, source, (float*)c + row * outputs + output, inputs, outputs);
                for (; whole && row < rows; row++)
                    Tile1x4<T, TAccess, V>((float*)a + (long)row * inputs, source, (float*)c + row * outputs + output, inputs);
                for (; row < rows; row++)
                {
                    for (var i = 0; output + i < outputs; i++)
                        ((float*)c)[row * outputs + output + i] =
                            Dot<T, TAccess, V>((float*)a + (long)row * inputs, source + i * inputs, inputs);
                }
            }
        });
    }

    private static void Tile4x4<T, TAccess, V>(float* x, T* w, float* y, int inputs, long outputs)
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
        Finish<T, TAccess, V>(x, w, y, inputs, i, s00, s01, s02, s03);
        Finish<T, TAccess, V>(x1, w, y + outputs, inputs, i, s10, s11, s12, s13);
        Finish<T, TAccess, V>(x2, w, y + 2 * outputs, inputs, i, s20, s21, s22, s23);
        Finish<T, TAccess, V>(x3, w, y + 3 * outputs, inputs, i, s30, s31, s32, s33);
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
        Finish<T, TAccess, V>(x, w, y, inputs, i, s0, s1, s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<T, TAccess, V>(
        float* x, T* w, float* y, int inputs, int done, V s0, V s1, V s2, V s3)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        y[0] = Tail<T, TAccess, V>(x, w, inputs, done, s0);
        y[1] = Tail<T, TAccess, V>(x, w + inputs, inputs, done, s1);
        y[2] = Tail<T, TAccess, V>(x, w + 2L * inputs, inputs, done, s2);
        y[3] = Tail<T, TAccess, V>(x, w + 3L * inputs, inputs, done, s3);
    }

    private static float Dot<T, TAccess, V>(float* x, T* w, int inputs)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var sums = default(V);
        var i = 0;
        for (; i + V.Count <= inputs; i += V.Count)
            sums = V.MultiplyAdd(V.Load(x + i), TAccess.Load<V>(w + i), sums);
        return Tail<T, TAccess, V>(x, w, inputs, i, sums);
    }

    // One way to add up what the vectors hold and what is left over, for every path.
    private static float Tail<T, TAccess, V>(float* x, T* w, int inputs, int done, V sums)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var sum = V.Sum(sums);
        for (var i = done; i < inputs; i++)
            sum = MathF.FusedMultiplyAdd(x[i], TAccess.Read(w + i), sum);
        return sum;
    }
}
