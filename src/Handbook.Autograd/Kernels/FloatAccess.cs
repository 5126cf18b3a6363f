using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Handbook.Autograd.Kernels;

/// <summary>How a kernel reads and writes one element type; the JIT makes a version of the kernel for each implementation.</summary>
internal unsafe interface IFloatAccess<T> where T : unmanaged
{
    /// <summary>Sixteen elements as float32.</summary>
    static abstract Vector512<float> Load(T* source);

    /// <summary>Stores sixteen elements, rounding to nearest even.</summary>
    static abstract void Store(Vector512<float> value, T* target);

    /// <summary>What a store and a load again give.</summary>
    static abstract Vector512<float> Round(Vector512<float> value);

    /// <summary>One element as float32.</summary>
    static abstract float Read(T* source);

    /// <summary>Stores one element, rounding to nearest even.</summary>
    static abstract void Write(float value, T* target);
}

/// <summary>float32 elements.</summary>
internal readonly unsafe struct SingleAccess : IFloatAccess<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(float value, float* target) => *target = value;
}

/// <summary>bfloat16 elements.</summary>
internal readonly unsafe struct BFloat16Access : IFloatAccess<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ushort* source) => BFloat16Vectors.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, ushort* target) => BFloat16Vectors.Store(value, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> value) => BFloat16Vectors.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(ushort* source) => BFloat16Vectors.ToSingle(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(float value, ushort* target) => *target = BFloat16Vectors.FromSingle(value);
}
