using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Scales of blocks as a kernel reads them, one at a time.</summary>
internal readonly unsafe struct ScaleReader
{
    private readonly float* scales;
    private readonly byte* codes;
    private readonly float* map;
    private readonly float offset;
    private readonly int group;

    internal ScaleReader(BlockScales blocks)
    {
        if (blocks.Nested is not { } nested)
        {
            scales = (float*)blocks.Values.Pointer;
            return;
        }
        codes = (byte*)blocks.Values.Pointer;
        scales = (float*)nested.Scales.Pointer;
        map = (float*)nested.Map.Pointer;
        (offset, group) = (nested.Offset, nested.GroupSize);
    }

    // Rounded after the product and after the sum, as the tensors are that define it.
    internal float this[long block] => codes == null ? scales[block] : map[codes[block]] * scales[block / group] + offset;
}
