using System.Diagnostics;

namespace Handbook.Torch;

/// <summary>
/// A tensor of libtorch. It is freed by <see cref="Dispose"/> or by the <see cref="TensorScope"/> it was made in, never by a
/// finaliser: memory is given back at a known line.
/// </summary>
[DebuggerDisplay("{ToString()}")]
public sealed unsafe partial class Tensor : IDisposable
{
    private static long liveCount;

    private nint handle;
    private readonly long[] shape;
    private readonly nint countedBlock;

    private Tensor(nint handle)
    {
        this.handle = handle;
        Interlocked.Increment(ref liveCount);
        long dimensions;
        long* sizes;
        Operator.Check(Native.GetDim(handle, &dimensions), "aoti_torch_get_dim");
        Operator.Check(Native.GetSizes(handle, &sizes), "aoti_torch_get_sizes");
        shape = new ReadOnlySpan<long>(sizes, (int)dimensions).ToArray();
        int dtype, kind;
        Operator.Check(Native.GetDType(handle, &dtype), "aoti_torch_get_dtype");
        Operator.Check(Native.GetDeviceType(handle, &kind), "aoti_torch_get_device_type");
        DType = (DType)dtype;
        if (kind == (int)DeviceKind.Cpu)
        {
            countedBlock = TensorMemory.Add(handle, DType);
            return;
        }
        int index;
        Operator.Check(Native.GetDeviceIndex(handle, &index), "aoti_torch_get_device_index");
        Device = new Device((DeviceKind)kind, index);
    }

    /// <summary>Tensors alive in this process: a run whose count grows from step to step leaks.</summary>
    public static long LiveCount => Interlocked.Read(ref liveCount);

    /// <summary>Sizes of the dimensions.</summary>
    public ReadOnlySpan<long> Shape => shape;

    /// <summary>Number of dimensions.</summary>
    public int DimensionCount => shape.Length;

    /// <summary>Element type.</summary>
    public DType DType { get; }

    /// <summary>Where the data lives.</summary>
    public Device Device { get; } = Device.Cpu;

    /// <summary>True when the data is in host memory.</summary>
    public bool IsCpu => Device.Kind == DeviceKind.Cpu;

    /// <summary>Number of elements.</summary>
    public long ElementCount
    {
        get
        {
            var count = 1L;
            foreach (var size in shape)
                count *= size;
            return count;
        }
    }

    /// <summary>Bytes of the elements (of a view: of what it shows).</summary>
    public long ByteCount => ElementCount * DType.Size();

    /// <summary>True after <see cref="Dispose"/>.</summary>
    public bool IsDisposed => handle == 0;

    /// <summary>Steps between neighbours in each dimension, in elements.</summary>
    public ReadOnlySpan<long> Strides
    {
        get
        {
            long* strides;
            Operator.Check(Native.GetStrides(Handle, &strides), "aoti_torch_get_strides");
            return new ReadOnlySpan<long>(strides, shape.Length);
        }
    }

    /// <summary>True when elements lie in row-major order without gaps.</summary>
    public bool IsContiguous
    {
        get
        {
            var strides = Strides;
            var expected = 1L;
            for (var i = shape.Length - 1; i >= 0; i--)
            {
                if (shape[i] != 1 && strides[i] != expected)
                    return false;
                expected *= shape[i];
            }
            return true;
        }
    }

    internal TensorScope? Scope { get; set; }

    internal nint Handle =>
        handle != 0
            ? handle
            : throw new ObjectDisposedException(nameof(Tensor), "The tensor was freed: its scope ended or it was disposed.");

    /// <summary>Size of one dimension; negative counts from the end.</summary>
    public long Size(int dim) => shape[dim < 0 ? dim + shape.Length : dim];

    /// <summary>Frees this handle on the data; the data goes when no other view holds it.</summary>
    public void Dispose()
    {
        var freed = Interlocked.Exchange(ref handle, 0);
        if (freed == 0)
            return;
        Interlocked.Decrement(ref liveCount);
        TensorMemory.Remove(countedBlock);
        Operator.Check(Native.DeleteTensor(freed), "aoti_torch_delete_tensor_object");
    }

    /// <summary>Such as <c>float32[2, 3]</c>, with the device when it is not the host.</summary>
    public override string ToString() =>
        $"{DType.Name()}[{string.Join(", ", shape)}]{(IsCpu ? "" : "@" + Device)}";

    /// <summary>Takes over a native handle.</summary>
    internal static Tensor Own(nint handle)
    {
        var tensor = new Tensor(handle);
        TensorScope.Register(tensor);
        return tensor;
    }

    internal nint DuplicateHandle()
    {
        nint copy;
        Operator.Check(Native.NewTensorHandle(Handle, &copy), "aoti_torch_new_tensor_handle");
        return copy;
    }
}
