using System.Runtime.CompilerServices;
using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>The formula of an update for a register of elements.</summary>
internal interface IVectorRule
{
    /// <summary>Running averages that it keeps: 0, 1 or 2.</summary>
    static abstract int StateCount { get; }

    /// <summary>The new weights; the running averages change in place.</summary>
    static abstract V Next<V>(V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged, ILanes<V>;
}

/// <summary><see cref="UpdateNumbers"/> in every lane.</summary>
internal readonly struct VectorNumbers<V>(UpdateNumbers numbers) where V : unmanaged, ILanes<V>
{
    internal readonly V WeightFactor = V.Create((float)numbers.WeightFactor);
    internal readonly V StepSize = V.Create((float)numbers.StepSize);
    internal readonly V Beta1 = V.Create((float)numbers.Beta1);
    internal readonly V OneMinusBeta1 = V.Create((float)(1 - numbers.Beta1));
    internal readonly V Beta2 = V.Create((float)numbers.Beta2);
    internal readonly V OneMinusBeta2 = V.Create((float)(1 - numbers.Beta2));
    internal readonly V RootFactor = V.Create((float)numbers.RootFactor);
    internal readonly V Epsilon = V.Create((float)numbers.Epsilon);
}

/// <summary>
/// One pass over a parameter in host memory: reads the gradient, the weights and the running averages, and writes weights,
/// averages and the copy that computes. Nothing is read or written twice, which is all the time an update takes. Averages in codes pass
/// through the cache block by block.
/// </summary>
/// <param name="Weights">float32; or bfloat16, then rounded stochastically with <paramref name="Rounding"/>.</param>
/// <param name="Copy">bfloat16 of the weights' shape that gets them rounded to nearest; or null.</param>
/// <param name="Gradient">float32 or bfloat16, row-major.</param>
/// <param name="State">Running averages, float32 or all of them in codes.</param>
/// <param name="GradientFactor">Multiplies the gradient.</param>
/// <param name="Numbers">The rule's numbers.</param>
/// <param name="Rounding">Random bits of this parameter in this step.</param>
internal readonly record struct FusedUpdate(
    Tensor Weights, Tensor? Copy, Tensor Gradient, IReadOnlyList<RunningAverage> State, double GradientFactor, UpdateNumbers Numbers,
    StochasticRounding Rounding)
{
    private const int Block = 1 << 14;

    /// <summary>Runs a rule over all elements; the result does not depend on the number of threads.</summary>
    internal void Run<TRule>() where TRule : struct, IVectorRule =>
        FusedKernels.ForWidth(Update<TRule, Lanes16>, Update<TRule, Lanes8>, Update<TRule, Lanes4>)();

    private unsafe void Update<TRule, V>()
        where TRule : struct, IVectorRule
        where V : unmanaged, ILanes<V>
    {
        if (Gradient.DType == DType.Float32)
            Run<TRule, float, SingleAccess, V>((float*)Gradient.Pointer);
        else
            Run<TRule, ushort, BFloat16Access, V>((ushort*)Gradient.Pointer);
    }

    private unsafe void Run<TRule, T, TAccess, V>(T* gradient)
        where TRule : struct, IVectorRule
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var inFloat = Weights.DType == DType.Float32;
        var inCodes = State.Any(average => average.Codes is not null);
        var all = new Arrays<T>(
            inFloat ? (float*)Weights.Pointer : null,
            inFloat ? (Copy is null ? null : (ushort*)Copy.Pointer) : (ushort*)Weights.Pointer,
            gradient,
            TRule.StateCount > 0 && !inCodes ? (float*)State[0].Numbers.Pointer : null,
            TRule.StateCount > 1 && !inCodes ? (float*)State[1].Numbers.Pointer : null);
        var first = inCodes ? new CodedAverage(State[0]) : default;
        var second = inCodes && TRule.StateCount > 1 ? new CodedAverage(State[1]) : default;
        var numbers = new VectorNumbers<V>(Numbers);
        var factor = V.Create((float)GradientFactor);
        var rounding = Rounding;
        ParallelWork.ForBlocks(Weights.ElementCount, Block, (begin, end) =>
        {
            if (inCodes)
                Coded<TRule, T, TAccess, V>(all, first, second, begin, end, factor, numbers, rounding);
            else
                Steps<TRule, T, TAccess, V>(all.At(begin), end - begin, factor, numbers, rounding, begin);
        });
    }

    private static unsafe void Coded<TRule, T, TAccess, V>(
        Arrays<T> all, CodedAverage first, CodedAverage second, long begin, long end, V factor, in VectorNumbers<V> numbers,
        StochasticRounding rounding)
        where TRule : struct, IVectorRule
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var one = stackalloc float[2 * DynamicCodes.BlockSize];
        var two = one + DynamicCodes.BlockSize;
        for (; begin < end; begin += DynamicCodes.BlockSize)
        {
            var count = (int)Math.Min(DynamicCodes.BlockSize, end - begin);
            first.Decode<V>(begin, count, one);
            if (TRule.StateCount > 1)
                second.Decode<V>(begin, count, two);
            Steps<TRule, T, TAccess, V>(all.At(begin).With(one, two), count, factor, numbers, rounding, begin);
            first.Encode<V>(begin, count, one);
            if (TRule.StateCount > 1)
                second.Encode<V>(begin, count, two);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Steps<TRule, T, TAccess, V>(
        Arrays<T> from, long count, V factor, in VectorNumbers<V> numbers, StochasticRounding rounding, long index)
        where TRule : struct, IVectorRule
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var i = 0L;
        for (; i + V.Count <= count; i += V.Count)
            Step<TRule, T, TAccess, V>(from.At(i), factor, numbers, rounding, index + i);
        if (i < count)
            Tail<TRule, T, TAccess, V>(from.At(i), (int)(count - i), factor, numbers, rounding, index + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Step<TRule, T, TAccess, V>(
        Arrays<T> at, V factor, in VectorNumbers<V> numbers, StochasticRounding rounding, long index)
        where TRule : struct, IVectorRule
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var weights = at.Weights != null ? V.Load(at.Weights) : BFloat16Vectors.Load<V>(at.Rounded);
        var first = TRule.StateCount > 0 ? V.Load(at.First) : default;
        var second = TRule.StateCount > 1 ? V.Load(at.Second) : default;
        weights = TRule.Next(weights, TAccess.Load<V>(at.Gradient) * factor, ref first, ref second, numbers);
        if (TRule.StateCount > 0)
            first.Store(at.First);
        if (TRule.StateCount > 1)
            second.Store(at.Second);
        if (at.Weights == null)
        {
            BFloat16Vectors.Store(StochasticRounding.Round(weights, rounding.Bits<V>(index)), at.Rounded);
            return;
        }
        weights.Store(at.Weights);
        if (at.Rounded != null)
            BFloat16Vectors.Store(weights, at.Rounded);
    }

    // The last, incomplete vector: through buffers, so that its elements get the very same arithmetic.
    private static unsafe void Tail<TRule, T, TAccess, V>(
        Arrays<T> at, int count, V factor, in VectorNumbers<V> numbers, StochasticRounding rounding, long index)
        where TRule : struct, IVectorRule
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var floats = stackalloc float[3 * V.Count];
        var rounded = stackalloc ushort[V.Count];
        var gradient = stackalloc T[V.Count];
        var buffers = new Arrays<T>(
            at.Weights == null ? null : floats, at.Rounded == null ? null : rounded, gradient, floats + V.Count, floats + 2 * V.Count);
        at.CopyTo(buffers, count, TRule.StateCount);
        Unsafe.CopyBlock(gradient, at.Gradient, (uint)(count * sizeof(T)));
        Step<TRule, T, TAccess, V>(buffers, factor, numbers, rounding, index);
        buffers.CopyTo(at, count, TRule.StateCount);
    }

    private readonly unsafe struct Arrays<T>(float* weights, ushort* rounded, T* gradient, float* first, float* second) where T : unmanaged
    {
        internal readonly float* Weights = weights;
        internal readonly ushort* Rounded = rounded;
        internal readonly T* Gradient = gradient;
        internal readonly float* First = first;
        internal readonly float* Second = second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal Arrays<T> At(long i) => new(
            Weights == null ? null : Weights + i, Rounded == null ? null : Rounded + i, Gradient + i, First + i, Second + i);

        internal Arrays<T> With(float* first, float* second) => new(Weights, Rounded, Gradient, first, second);

        internal void CopyTo(Arrays<T> target, int count, int states)
        {
            var bytes = (uint)(count * sizeof(float));
            if (Weights != null)
                Unsafe.CopyBlock(target.Weights, Weights, bytes);
            if (Rounded != null)
                Unsafe.CopyBlock(target.Rounded, Rounded, bytes / 2);
            if (states > 0)
                Unsafe.CopyBlock(target.First, First, bytes);
            if (states > 1)
                Unsafe.CopyBlock(target.Second, Second, bytes);
        }
    }
}
