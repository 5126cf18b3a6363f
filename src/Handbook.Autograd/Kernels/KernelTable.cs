using System.Collections.Frozen;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>What is computed in more than one way.</summary>
public enum Operation
{
    /// <summary>Activations, gates and sums of streams.</summary>
    Elementwise,

    /// <summary>Root-mean-square normalisation.</summary>
    RmsNorm,

    /// <summary>Rotary embedding.</summary>
    Rotary,

    /// <summary>Rows of a table by token id.</summary>
    Embedding,

    /// <summary>Products of rows with a weight, and its gradient.</summary>
    Linear,

    /// <summary>Products of rows with a weight in codes of few bits.</summary>
    QuantizedLinear,

    /// <summary>Thin products of adapters' pairs, and the pairs' gradients.</summary>
    LowRank,

    /// <summary>Numbers to codes of few bits, and back.</summary>
    Quantization,

    /// <summary>Attention over a packed row.</summary>
    Attention,

    /// <summary>The language-model head with its loss.</summary>
    Head,

    /// <summary>Sums of gradients in float32, and over rows.</summary>
    GradientSum,

    /// <summary>The norm of gradients.</summary>
    GradientNorm,

    /// <summary>The optimizer's update.</summary>
    Update,

    /// <summary>Products of generation, each row by itself.</summary>
    RowProduct,

    /// <summary>Attention of generation over its cache.</summary>
    CachedAttention,
}

/// <summary>What computes it.</summary>
public enum Implementation
{
    /// <summary>The composition of libtorch's operators that defines it: any device and type.</summary>
    Plain,

    /// <summary>A kernel in C# over the processor's registers.</summary>
    Simd,

    /// <summary>A kernel in C# around block products, where the processor has them.</summary>
    Blocks,
}

/// <summary>Which implementation runs an operation on a device in a type: what stands in no row is the plain composition.</summary>
public static class KernelTable
{
    private static readonly DType[] Both = [DType.Float32, DType.BFloat16];

    private static readonly (Operation Operation, DeviceKind Device, DType[] DTypes, Implementation Implementation)[] Rows =
    [
        (Operation.Elementwise, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.RmsNorm, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.Rotary, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.Embedding, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.Linear, DeviceKind.Cpu, [DType.BFloat16], Implementation.Blocks),
        (Operation.QuantizedLinear, DeviceKind.Cpu, Both, Implementation.Blocks),
        (Operation.LowRank, DeviceKind.Cpu, Both, Implementation.Blocks),
        (Operation.Quantization, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.Attention, DeviceKind.Cpu, Both, Implementation.Blocks),
        (Operation.Head, DeviceKind.Cpu, Both, Implementation.Blocks),
        (Operation.GradientSum, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.GradientNorm, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.Update, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.RowProduct, DeviceKind.Cpu, Both, Implementation.Simd),
        (Operation.CachedAttention, DeviceKind.Cpu, [DType.Float32], Implementation.Simd),
    ];

    private static readonly FrozenDictionary<(Operation, DeviceKind, DType), Implementation> Found = Rows
        .SelectMany(row => row.DTypes.Select(dtype => KeyValuePair.Create((row.Operation, row.Device, dtype), row.Implementation)))
        .ToFrozenDictionary();

    /// <summary>The implementation that runs here.</summary>
    public static Implementation Of(Operation operation, DeviceKind device, DType dtype)
    {
        if (!FusedKernels.Enabled || !Found.TryGetValue((operation, device, dtype), out var implementation))
            return Implementation.Plain;
        return implementation == Implementation.Blocks && !FusedKernels.MultipliesBlocks ? Implementation.Plain : implementation;
    }

    /// <summary>True when a kernel runs the operation on all these tensors, which must be row-major for it.</summary>
    internal static bool Runs(Operation operation, params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (Of(operation, tensor.Device.Kind, tensor.DType) == Implementation.Plain || !tensor.IsContiguous)
                return false;
        }
        return true;
    }
}
