namespace Handbook.Autograd.Kernels;

/// <summary>Some rows of an adapter's backward pass at a time; the sums over tokens are its own.</summary>
internal readonly unsafe struct LowRankBlock<T, TFormat, V>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T, V>
    where V : unmanaged, ILanes<V>
{
    private const int Rows = LowRankKernel.BlockRows;

    private readonly LowRankCall call;
    private readonly T* input;
    private readonly T* output;
    private readonly T* product;
    private readonly T* target;
    private readonly T* narrow;
    private readonly T* down;
    private readonly T* up;
    private readonly T* back;
    private readonly float* downSums;
    private readonly float* upSums;
    private readonly float* productSums;
    private readonly int inputs;
    private readonly int outputs;
    private readonly int rank;

    /// <summary>Over a pair whose matrices are packed.</summary>
    /// <param name="call">The pass.</param>
    /// <param name="result">Where the narrow rows go.</param>
    /// <param name="sums">Zeros that are added to: [rank, in], [rank, out], [out].</param>
    /// <param name="down">Aᵀ as a right operand.</param>
    /// <param name="up">B as one.</param>
    /// <param name="back">A as one, where the input's gradient is wanted.</param>
    internal LowRankBlock(LowRankCall call, LowRankGradients result, float* sums, T* down, T* up, T* back)
    {
        this.call = call;
        this.down = down;
        this.up = up;
        this.back = back;
        (inputs, outputs, rank) = ((int)call.Input.Size(1), (int)call.Output.Size(1), (int)call.Down.Size(0));
        input = (T*)call.Input.Pointer;
        output = (T*)call.Output.Pointer;
        narrow = (T*)result.Narrow.Pointer;
        product = call.Product is null ? null : (T*)call.Product.Pointer;
        target = call.InputGradient is null ? null : (T*)call.InputGradient.Pointer;
        downSums = sums;
        upSums = sums + rank * inputs;
        productSums = sums + rank * (inputs + outputs);
    }

    /// <summary>Adds what some rows bring.</summary>
    internal void Run(long first, int count)
    {
        var padded = (count + 1) / 2 * 2;
        var wide = Math.Max(rank, target == null ? 0 : inputs);
        var scratch = new ScratchMemory(
            MaskedRows<T>.ScratchSize(call.Mask, inputs) + ScratchMemory.Size<float>(Rows * wide) + ScratchMemory.Size<T>(Rows * rank)
            + (IsSingle ? 0 : ScratchMemory.Size<T>(Rows * Math.Max(inputs, outputs))));
        var sums = scratch.Take<float>(Rows * wide);
        var columns = scratch.Take<T>(Rows * rank);
        var room = IsSingle ? null : scratch.Take<T>(Rows * Math.Max(inputs, outputs));
        var masked = new MaskedRows<T>(call.Mask, ref scratch, inputs);
        var rows = masked.Read<TFormat, V>(input, first, count);
        var gradients = output + first * outputs;

        TFormat.Multiply(count, rank, inputs, rows, inputs, down, rank, sums, rank, accumulate: false);
        Transpose(sums, count, padded, columns);
        TFormat.Multiply(
            rank, outputs, Depth(count, padded), columns, padded, Right(gradients, outputs, count, padded, room), outputs, upSums, outputs,
            accumulate: true);

        TFormat.Multiply(count, rank, outputs, gradients, outputs, up, rank, sums, rank, accumulate: false);
        RoundedRows<T, TFormat, V>.Store(sums, (float)call.Scale, narrow + first * rank, count * rank);
        Transpose(sums, count, padded, columns);
        TFormat.Multiply(
            rank, inputs, Depth(count, padded), columns, padded, Right(rows, inputs, count, padded, room), inputs, downSums, inputs,
            accumulate: true);

        if (target != null)
        {
            TFormat.Multiply(count, inputs, rank, narrow + first * rank, rank, back, inputs, sums, inputs, accumulate: false);
            masked.AddTo<TFormat, V>(sums, count, target + first * inputs);
        }
        if (product != null)
            AddProducts(product + first * outputs, gradients, count);
    }

    /// <summary>Float32 rows are a right operand as they lie.</summary>
    private static bool IsSingle => typeof(T) == typeof(float);

    private static long Depth(int count, int padded) => IsSingle ? count : padded;

    private static T* Right(T* rows, int width, int count, int padded, T* room)
    {
        if (IsSingle)
            return rows;
        TFormat.Pack(rows, width, count, width, room, padded, width);
        return room;
    }

    /// <summary>scale · rows as columns of a left operand, filled up with zeros.</summary>
    private void Transpose(float* rows, int count, int padded, T* columns)
    {
        for (var i = 0; i < rank; i++)
        {
            for (var row = 0; row < count; row++)
                TFormat.Write(rows[row * rank + i] * (float)call.Scale, columns + i * padded + row);
            if (padded > count)
                columns[i * padded + count] = default;
        }
    }

    private void AddProducts(T* products, T* gradients, int count)
    {
        for (var row = 0; row < count; row++, products += outputs, gradients += outputs)
        {
            var c = 0;
            for (; c + V.Count <= outputs; c += V.Count)
            {
                V.MultiplyAdd(TFormat.Load<V>(products + c), TFormat.Load<V>(gradients + c), V.Load(productSums + c))
                    .Store(productSums + c);
            }
            for (; c < outputs; c++)
                productSums[c] += TFormat.Read(products + c) * TFormat.Read(gradients + c);
        }
    }
}
