using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>How a kernel reads and writes one element type; the JIT makes a version of the kernel for each implementation.</summary>
internal unsafe interface IFloatAccess<T> where T : unmanaged
{
    /// <summary>A vector of elements as float32.</summary>
    static abstract V Load<V>(T* source) where V : unmanaged, ILanes<V>;

    /// <summary>Stores a vector of elements, rounding to nearest even.</summary>
    static abstract void Store<V>(V value, T* target) where V : unmanaged, ILanes<V>;

    /// <summary>Stores the lanes of two vectors by turns; each is a number that <see cref="Round"/> has made.</summary>
    static abstract void StoreByTurns<V>(V even, V odd, T* target) where V : unmanaged, ILanes<V>;

    /// <summary>What a store and a load again give.</summary>
    static abstract V Round<V>(V value) where V : unmanaged, ILanes<V>;

    /// <summary>One element as float32.</summary>
    static abstract float Read(T* source);

    /// <summary>Stores one element, rounding to nearest even.</summary>
    static abstract void Write(float value, T* target);
}

/// <summary>float32 elements.</summary>
internal readonly unsafe struct SingleAccess : IFloatAccess<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(float* source) where V : unmanaged, ILanes<V> => V.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V>(V value, float* target) where V : unmanaged, ILanes<V> => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreByTurns<V>(V even, V odd, float* target) where V : unmanaged, ILanes<V>
    {
        var (first, second) = V.ByTurns(even, odd);
        first.Store(target);
        second.Store(target + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Round<V>(V value) where V : unmanaged, ILanes<V> => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(float value, float* target) => *target = value;
}

/// <summary>bfloat16 elements.</summary>
internal readonly unsafe struct BFloat16Access : IFloatAccess<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(ushort* source) where V : unmanaged, ILanes<V> => BFloat16Vectors.Load<V>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V>(V value, ushort* target) where V : unmanaged, ILanes<V> => BFloat16Vectors.Store(value, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreByTurns<V>(V even, V odd, ushort* target) where V : unmanaged, ILanes<V> =>
        (V.ShiftRight(even, 16) | odd).Store((float*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Round<V>(V value) where V : unmanaged, ILanes<V> => BFloat16Vectors.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(ushort* source) => BFloat16Vectors.ToSingle(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(float value, ushort* target) => *target = BFloat16Vectors.FromSingle(value);
}
