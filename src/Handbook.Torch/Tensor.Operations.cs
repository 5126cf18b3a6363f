namespace Handbook.Torch;

public sealed unsafe partial class Tensor
{
    /// <summary>The same elements in another type; this tensor's data when it has it already.</summary>
    public Tensor To(DType dtype) =>
        dtype == DType ? Alias() : Operator.Call("aten::to"u8, "dtype"u8, this, dtype, false, false, Value.None);

    /// <summary>The same elements on another device; this tensor's data when it is there already.</summary>
    public Tensor To(Device device)
    {
        if (device == Device)
            return Alias();
        var copy = Empty(shape, DType, device);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Another handle on the same data.</summary>
    public Tensor Alias() => Own(DuplicateHandle());

    /// <summary>Row-major order; this tensor's data when it has it already.</summary>
    public Tensor Contiguous() => IsContiguous ? Alias() : Clone();

    /// <summary>A copy in row-major order.</summary>
    public Tensor Clone() => Operator.Call("aten::clone"u8, default, this, Value.Some(0L));

    /// <summary>Overwrites the elements, converting type and device.</summary>
    public void CopyFrom(Tensor source) => Operator.InPlace("aten::copy_"u8, default, this, source, false);

    /// <summary>Another shape over the same data.</summary>
    public Tensor View(params ReadOnlySpan<long> newShape) => Operator.Call("aten::view"u8, default, this, newShape.ToArray());

    /// <summary>Another shape; copies when it must.</summary>
    public Tensor Reshape(params ReadOnlySpan<long> newShape) => Operator.Call("aten::reshape"u8, default, this, newShape.ToArray());

    /// <summary>Two dimensions exchanged, same data.</summary>
    public Tensor Transpose(int first, int second) => Operator.Call("aten::transpose"u8, "int"u8, this, (long)first, (long)second);

    /// <summary>Rows [start, start + length) of a dimension, same data.</summary>
    public Tensor Narrow(int dim, long start, long length) => Operator.Call("aten::narrow"u8, default, this, (long)dim, start, length);

    /// <summary>One row of a dimension, same data.</summary>
    public Tensor Select(int dim, long index) => Operator.Call("aten::select"u8, "int"u8, this, (long)dim, index);

    /// <summary>Matrix product [m, k] x [k, n].</summary>
    public Tensor MatMul(Tensor other)
    {
        if (!NeedsWidening)
            return Operator.Call("aten::matmul"u8, default, this, other);
        using var scope = new TensorScope();
        return scope.Keep(Operator.Call("aten::matmul"u8, default, To(DType.Float32), other.To(DType.Float32)).To(DType));
    }

    /// <summary>This matrix + x Wᵀ, which is written over it where libtorch can; the result is to be used in its place.</summary>
    /// <param name="rows">x, [N, in].</param>
    /// <param name="weight">W, [out, in].</param>
    public Tensor PlusLinear(Tensor rows, Tensor weight)
    {
        if (rows.NeedsWidening)
            return Add(rows.Linear(weight));
        // libtorch adds a bias before it multiplies; one that is the output itself is what is summed up in.
        Operator.InPlace("aten::linear"u8, "out"u8, rows, weight, Value.Some(this), this);
        return this;
    }

    /// <summary>x Wᵀ + b for the rows of a matrix, with the weight stored [out, in].</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="bias">[out], or null.</param>
    public Tensor Linear(Tensor weight, Tensor? bias = null)
    {
        if (!NeedsWidening)
            return Operator.Call("aten::linear"u8, default, this, weight, Value.Optional(bias));
        using var scope = new TensorScope();
        var wide = Operator.Call(
            "aten::linear"u8, default, To(DType.Float32), weight.To(DType.Float32), Value.Optional(bias?.To(DType.Float32)));
        return scope.Keep(wide.To(DType));
    }

    /// <summary>libtorch multiplies bfloat16 in a plain loop where the processor has no instruction for it.</summary>
    private bool NeedsWidening => DType == DType.BFloat16 && IsCpu && !CpuMatrixKernels.HasBFloat16;

    /// <summary>Element by element, with broadcasting: this + alpha * other.</summary>
    /// <remarks>The stable ABI of 2.10 takes no <c>Scalar</c> through the dispatcher, which <c>aten::add</c> asks for.</remarks>
    public Tensor Add(Tensor other, double alpha = 1)
    {
        nint sum;
        // A number beyond the type is infinite in it, which libtorch would rather refuse.
        if (DType != DType.Float64 && Math.Abs(alpha) > float.MaxValue)
            alpha = (float)alpha;
        var code = Native.SubtractTensor(Handle, other.Handle, -alpha, &sum);
        return code == 0 ? Own(sum) : throw Failure("aten::add", other);
    }

    /// <summary>Element by element, with broadcasting.</summary>
    public Tensor Subtract(Tensor other) => Add(other, -1);

    /// <summary>Element by element, with broadcasting.</summary>
    public Tensor Multiply(Tensor other) => Operator.Call("aten::mul"u8, "Tensor"u8, this, other);

    /// <summary>Every element times a number.</summary>
    public Tensor Multiply(double number)
    {
        using var factor = Scalar(number);
        return Multiply(factor);
    }

    /// <summary>Element by element, with broadcasting.</summary>
    public Tensor Divide(Tensor other) => Operator.Call("aten::div"u8, "Tensor"u8, this, other);

    /// <summary>Every element plus a number.</summary>
    public Tensor Add(double number)
    {
        using var term = Scalar(number);
        return Add(term);
    }

    /// <summary>this += alpha * other.</summary>
    public void AddInPlace(Tensor other, double alpha = 1)
    {
        using var sum = Add(other, alpha);
        CopyFrom(sum);
    }

    /// <summary>this *= number.</summary>
    public void MultiplyInPlace(double number)
    {
        using var factor = Scalar(number);
        Operator.InPlace("aten::mul_"u8, "Tensor"u8, this, factor);
    }

    /// <summary>Sets every element to one number.</summary>
    public void Fill(double number) => Operator.Check(Native.FillScalar(Handle, number), "aten::fill_");

    /// <summary>Sets every element to zero.</summary>
    public void ZeroInPlace() => Operator.InPlace("aten::zero_"u8, default, this);

    /// <summary>
    /// A number as a tensor without dimensions in host memory. In an operator it does not change the other operand's type,
    /// and an accelerator takes it as a constant.
    /// </summary>
    public static Tensor Scalar(double number) => From<double>([number], []);

    /// <summary>Sum of all elements, in the tensor's type.</summary>
    public Tensor Sum() => Operator.Call("aten::sum"u8, default, this, Value.None);

    /// <summary>Sum over one dimension.</summary>
    public Tensor Sum(int dim, bool keepDim = false) =>
        Operator.Call("aten::sum"u8, "dim_IntList"u8, this, Value.Some(new long[] { dim }), keepDim, Value.None);

    /// <summary>Mean of all elements.</summary>
    public Tensor Mean() => Operator.Call("aten::mean"u8, default, this, Value.None);

    /// <summary>Slices of a dimension picked by index.</summary>
    public Tensor IndexSelect(int dim, Tensor index) => Operator.Call("aten::index_select"u8, default, this, (long)dim, index);

    /// <summary>Position of the largest element along a dimension (the first of equals).</summary>
    public Tensor ArgMax(int dim) => Operator.Call("aten::argmax"u8, default, this, Value.Some((long)dim), false);

    /// <summary>True when no element is infinite or not a number.</summary>
    public bool AllFinite()
    {
        if (ElementCount == 0)
            return true;
        using var scope = new TensorScope();
        // Both extremes pass a NaN on, and are infinite when an element is.
        var extremes = new[] { Operator.Call("aten::max"u8, default, this), Operator.Call("aten::min"u8, default, this) };
        return Array.TrueForAll(Operator.Call("aten::stack"u8, default, extremes, 0L).Read<double>(DeviceWait.Weights), double.IsFinite);
    }

    /// <summary>Largest absolute difference to a tensor of the same shape, computed in float64.</summary>
    public double MaxAbsDifference(Tensor other)
    {
        using var scope = new TensorScope();
        var difference = To(DType.Float64).Subtract(other.To(DType.Float64));
        return Operator.Call("aten::max"u8, default, Operator.Call("aten::abs"u8, default, difference)).Item();
    }

    private LibtorchException Failure(string operation, Tensor other) =>
        new($"{operation}({this}, {other}) failed: {NativeMessages.Reason(NativeMessages.Take())}");
}
