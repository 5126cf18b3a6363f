using System.Runtime.InteropServices;

namespace Handbook.Torch;

public sealed unsafe partial class Tensor
{
    /// <summary>Address of the first element. Valid while the tensor lives; on an accelerator it is the device's address.</summary>
    public void* Pointer
    {
        get
        {
            if (Device.Kind == DeviceKind.Meta)
                throw new InvalidOperationException($"{this} has a shape and no elements.");
            void* pointer;
            Operator.Check(Native.GetDataPointer(Handle, &pointer), "aoti_torch_get_data_ptr");
            return pointer;
        }
    }

    /// <summary>The elements in place. Host memory and row-major order only; valid while the tensor lives.</summary>
    /// <exception cref="InvalidOperationException">Another element size, not contiguous, or not on the host.</exception>
    public Span<T> Span<T>() where T : unmanaged
    {
        if (!IsCpu || sizeof(T) != DType.Size() || !IsContiguous)
            throw new InvalidOperationException(
                $"{this} cannot be seen as a span of {typeof(T).Name}: host memory, {DType.Size()}-byte elements and row-major order are "
                    + "needed.");
        return new Span<T>(Pointer, checked((int)ElementCount));
    }

    /// <summary>An uninitialised tensor in row-major order.</summary>
    public static Tensor Empty(ReadOnlySpan<long> shape, DType dtype, Device device = default)
    {
        var strides = stackalloc long[Math.Max(1, shape.Length)];
        var step = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(1, shape[i]);
        }
        nint handle;
        int code;
        fixed (long* sizes = shape)
            code = Native.EmptyStrided(shape.Length, sizes, strides, (int)dtype, (int)device.Kind, device.Index, &handle);
        if (code != 0)
            throw new LibtorchException(
                $"Allocating {dtype.Name()}[{string.Join(", ", shape.ToArray())}] on {device} failed: "
                    + $"{NativeMessages.Reason(NativeMessages.Take())}");
        var tensor = Own(handle);
        MetaShapes.IsAsked |= device.Kind == DeviceKind.Meta;
        if (tensor.IsCpu)
            AllocatorSettings.Prepare(tensor.Pointer, tensor.ByteCount);
        return tensor;
    }

    /// <summary>A tensor of zeros.</summary>
    public static Tensor Zeros(ReadOnlySpan<long> shape, DType dtype, Device device = default)
    {
        var tensor = Empty(shape, dtype, device);
        if (tensor.IsCpu)
            NativeMemory.Clear(tensor.Pointer, (nuint)tensor.ByteCount);
        else
            Operator.InPlace("aten::zero_"u8, default, tensor);
        return tensor;
    }

    /// <summary>A tensor filled with one number.</summary>
    public static Tensor Full(ReadOnlySpan<long> shape, double number, DType dtype, Device device = default)
    {
        var tensor = Empty(shape, dtype, device);
        tensor.Fill(number);
        return tensor;
    }

    /// <summary>A copy of managed numbers; the element type follows from <typeparamref name="T"/>.</summary>
    public static Tensor From<T>(ReadOnlySpan<T> data, ReadOnlySpan<long> shape, Device device = default) where T : unmanaged
    {
        var tensor = Empty(shape, TypeOf<T>());
        if (tensor.ElementCount != data.Length)
            throw new ArgumentException($"{data.Length} elements do not fill {tensor}.", nameof(data));
        data.CopyTo(tensor.Span<T>());
        if (device.Kind == DeviceKind.Cpu)
            return tensor;
        using (tensor)
            return tensor.To(device);
    }

    /// <summary>A one-dimensional copy of managed numbers.</summary>
    public static Tensor From<T>(T[] data, Device device = default) where T : unmanaged => From<T>(data, [data.Length], device);

    /// <summary>
    /// A tensor over memory that somebody else owns (a buffer of the caller): nothing is copied, and the memory must outlive it.
    /// </summary>
    public static Tensor OverMemory(void* memory, ReadOnlySpan<long> shape, DType dtype)
    {
        var strides = stackalloc long[Math.Max(1, shape.Length)];
        var step = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(1, shape[i]);
        }
        nint handle;
        fixed (long* sizes = shape)
        {
            Operator.Check(
                Native.FromBlob(memory, shape.Length, sizes, strides, 0, (int)dtype, (int)DeviceKind.Cpu, 0, &handle, 0, null, 0),
                "aoti_torch_create_tensor_from_blob_v2");
        }
        return Own(handle);
    }

    /// <summary>The only element, as a double.</summary>
    public double Item()
    {
        if (ElementCount != 1)
            throw new InvalidOperationException($"{this} has {ElementCount} elements, not one.");
        return ToArray<double>()[0];
    }

    /// <summary>The elements as <see cref="ToArray"/> gives them, at one of the places where a run may wait for its device.</summary>
    /// <returns>Zeros when the tensor has a shape only.</returns>
    public T[] Read<T>(DeviceWait place) where T : unmanaged
    {
        DeviceWaitCount.Add(place);
        return Device.Kind == DeviceKind.Meta ? new T[ElementCount] : ToArray<T>();
    }

    /// <summary>The tensor in host memory, at one of the places where a run may wait for its device;
    /// zeros when it has a shape only.</summary>
    public Tensor ToHost(DeviceWait place)
    {
        if (!IsCpu)
            DeviceWaitCount.Add(place);
        return Device.Kind == DeviceKind.Meta ? Zeros(shape, DType) : To(Device.Cpu);
    }

    /// <summary>A managed copy of the elements in row-major order, converted to <typeparamref name="T"/>'s element type.</summary>
    /// <exception cref="LibtorchException">The tensor has a shape only.</exception>
    public T[] ToArray<T>() where T : unmanaged
    {
        using var scope = new TensorScope();
        return To(Device.Cpu).To(TypeOf<T>()).Contiguous().Span<T>().ToArray();
    }

    private static DType TypeOf<T>() =>
        typeof(T) == typeof(float) ? DType.Float32
        : typeof(T) == typeof(double) ? DType.Float64
        : typeof(T) == typeof(long) ? DType.Int64
        : typeof(T) == typeof(int) ? DType.Int32
        : typeof(T) == typeof(short) ? DType.Int16
        : typeof(T) == typeof(sbyte) ? DType.Int8
        : typeof(T) == typeof(byte) ? DType.UInt8
        : typeof(T) == typeof(bool) ? DType.Bool
        : typeof(T) == typeof(Half) ? DType.Float16
        : throw new NotSupportedException($"No tensor element type for {typeof(T).Name}.");
}
