using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Addresses of what the backward pass of attention reads and writes; the tensors live in the caller's scope.</summary>
internal sealed unsafe class AttentionGradientData<T> where T : unmanaged
{
    private readonly float* slots;
    private readonly long slotLength;

    internal AttentionGradientData(
        AttentionPlan plan, AttentionChunks chunks, Tensor gradient, Tensor query, Tensor key, Tensor value, Tensor output,
        Tensor logSumExp)
    {
        Gradient = (T*)gradient.Pointer;
        Query = (T*)query.Pointer;
        Key = (T*)key.Pointer;
        Value = (T*)value.Pointer;
        Output = (T*)output.Pointer;
        LogSumExp = (float*)logSumExp.Pointer;
        QueryGradientTensor = Tensor.Empty(query.Shape, query.DType);
        KeyGradientTensor = Tensor.Empty(key.Shape, key.DType);
        ValueGradientTensor = Tensor.Empty(value.Shape, value.DType);
        QueryGradient = (T*)QueryGradientTensor.Pointer;
        KeyGradient = (T*)KeyGradientTensor.Pointer;
        ValueGradient = (T*)ValueGradientTensor.Pointer;
        long[] packed = [plan.KeyHeads, plan.Blocks.Length, plan.PackedBlock];
        KeyRows = (T*)Tensor.Empty(packed, key.DType).Pointer;
        ValueRows = (T*)Tensor.Empty(packed, key.DType).Pointer;
        KeyColumns = (T*)Tensor.Empty(packed, key.DType).Pointer;
        Projection = (float*)Tensor.Empty([plan.Heads, plan.Tokens], DType.Float32).Pointer;
        slotLength = query.ElementCount;
        slots = (float*)Tensor.Empty([chunks.SlotCount == 1 ? 0 : chunks.SlotCount, slotLength], DType.Float32).Pointer;
    }

    internal T* Gradient { get; }

    internal T* Query { get; }

    internal T* Key { get; }

    internal T* Value { get; }

    internal T* Output { get; }

    /// <summary>[heads, tokens], base 2.</summary>
    internal float* LogSumExp { get; }

    /// <summary>[heads, tokens]: sum over the width of gradient * output.</summary>
    internal float* Projection { get; }

    /// <summary>Left operands of each key/value head and block: keys, values, keys transposed.</summary>
    internal T* KeyRows { get; }

    internal T* ValueRows { get; }

    internal T* KeyColumns { get; }

    internal Tensor QueryGradientTensor { get; }

    internal Tensor KeyGradientTensor { get; }

    internal Tensor ValueGradientTensor { get; }

    internal T* QueryGradient { get; }

    internal T* KeyGradient { get; }

    internal T* ValueGradient { get; }

    /// <summary>The queries' gradients that one chunk made, [tokens, heads, width].</summary>
    internal float* Slot(int index) => slots + index * slotLength;
}
