namespace Handbook.Autograd.Kernels;

/// <summary>A weight as the right operand B[k, n] of block products: it is cut into blocks of columns as it is used.</summary>
/// <param name="weight">Where the blocks come from.</param>
/// <param name="isTransposed">Whether B is the weight's transpose.</param>
internal readonly unsafe struct RightOperand(WeightPanels weight, bool isTransposed)
{
    /// <summary>k, even.</summary>
    internal long Rows => isTransposed ? weight.Inputs : weight.Outputs;

    /// <summary>n.</summary>
    internal long Columns => isTransposed ? weight.Outputs : weight.Inputs;

    /// <summary>Writes a block of columns, [k, width] as the format has it.</summary>
    internal void Pack<T, TFormat, V>(long firstColumn, int width, T* target)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>
    {
        if (isTransposed)
            weight.PackTransposed<T, TFormat, V>(firstColumn, width, target);
        else
            weight.Pack<T, TFormat, V>(firstColumn, width, target);
    }
}
