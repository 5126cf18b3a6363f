using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// A weight [out, in] as kernels read it, piece by piece: from a matrix as it lies there, or from codes that become numbers in the cache.
/// </summary>
internal abstract unsafe class WeightPanels(long outputs, long inputs)
{
    /// <summary>Rows of the weight.</summary>
    internal long Outputs => outputs;

    /// <summary>Columns of the weight.</summary>
    internal long Inputs => inputs;

    /// <summary>False when <see cref="Rows"/> points into the weight itself and needs no room.</summary>
    internal abstract bool IsMade { get; }

    /// <summary>Some rows, one after the other.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="room">Room for them, where they have to be made.</param>
    internal abstract T* Rows<T, TAccess, V>(long first, int count, T* room)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>;

    /// <summary>Some columns of the weight as a right operand of block products.</summary>
    internal abstract void Pack<T, TFormat, V>(long firstColumn, int width, T* target)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>;

    /// <summary>The same of the weight's transpose: some of its rows, whose elements stand below each other then.</summary>
    internal abstract void PackTransposed<T, TFormat, V>(long firstRow, int width, T* target)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>;

    /// <summary>Elements that transpositions keep together: pairs of two bytes, single ones of four.</summary>
    private protected static int Unit<T>() where T : unmanaged => sizeof(float) / sizeof(T);
}

/// <summary>A dense matrix, whose element type is the kernel's.</summary>
internal sealed unsafe class DensePanels(Tensor matrix) : WeightPanels(matrix.Size(0), matrix.Size(1))
{
    private readonly byte* source = (byte*)matrix.Pointer;

    internal override bool IsMade => false;

    internal override T* Rows<T, TAccess, V>(long first, int count, T* room) => (T*)source + first * Inputs;

    internal override void Pack<T, TFormat, V>(long firstColumn, int width, T* target) =>
        TFormat.Pack((T*)source + firstColumn, Inputs, (int)Outputs, width, target, (int)Outputs, width);

    // Pairs along a row lie side by side already.
    internal override void PackTransposed<T, TFormat, V>(long firstRow, int width, T* target)
    {
        var units = Inputs / Unit<T>();
        DwordTransposition.Run<V>((float*)((T*)source + firstRow * Inputs), units, width, (int)units, (float*)target, width);
    }
}

/// <summary>Codes of few bits.</summary>
internal sealed unsafe class QuantizedPanels(QuantizedMatrix matrix) : WeightPanels(matrix.Size(0), matrix.Size(1))
{
    /// <summary>Elements of a row that are made at a time on their way to another place.</summary>
    private const int Strip = 256;

    private readonly CodeReader reader = matrix.Reader;

    internal override bool IsMade => true;

    internal override T* Rows<T, TAccess, V>(long first, int count, T* room)
    {
        reader.Read<T, TAccess, V>(first * Inputs, (int)(count * Inputs), room);
        return room;
    }

    internal override void Pack<T, TFormat, V>(long firstColumn, int width, T* target)
    {
        var rows = stackalloc T[2 * Strip];
        for (var row = 0L; row < Outputs; row += 2, target += 2 * width)
        {
            reader.Read<T, TFormat, V>(row * Inputs + firstColumn, width, rows);
            reader.Read<T, TFormat, V>((row + 1) * Inputs + firstColumn, width, rows + width);
            TFormat.Pack(rows, width, 2, width, target, 2, width);
        }
    }

    internal override void PackTransposed<T, TFormat, V>(long firstRow, int width, T* target)
    {
        var rows = stackalloc T[V.Count * Strip];
        for (var row = 0; row < width; row += V.Count)
        {
            var height = Math.Min(V.Count, width - row);
            for (var column = 0L; column < Inputs; column += Strip)
            {
                var length = (int)Math.Min(Strip, Inputs - column);
                for (var i = 0; i < height; i++)
                    reader.Read<T, TFormat, V>((firstRow + row + i) * Inputs + column, length, rows + i * length);
                var units = length / Unit<T>();
                DwordTransposition.Run<V>((float*)rows, units, height, units, (float*)target + column / Unit<T>() * width + row, width);
            }
        }
    }
}
