using System.Text;

namespace Handbook.Torch;

/// <summary>
/// Calls any ATen operator by name: the one place where a native error code becomes a <see cref="LibtorchException"/>.
/// Arguments go in the order of the operator's schema, every one of them: defaults are not filled in.
/// </summary>
public static unsafe class Operator
{
    private const int MaximumArguments = 24;

    /// <summary>Calls an operator with one tensor as its result. The result belongs to the current <see cref="TensorScope"/>.</summary>
    /// <param name="name">Such as <c>"aten::mm"u8</c>.</param>
    /// <param name="overload">Such as <c>"dim_IntList"u8</c>; empty for the default overload.</param>
    /// <param name="arguments">All arguments in the schema's order.</param>
    /// <exception cref="LibtorchException">The call failed.</exception>
    public static Tensor Call(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Value> arguments)
    {
        if (MetaShapes.Find(name, arguments) is { } shapeOnly)
            return shapeOnly;
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
        return Tensor.Own((nint)stack[0]);
    }

    /// <summary>Calls an operator with two tensors as its result.</summary>
    public static (Tensor First, Tensor Second) Call2(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload,
        params ReadOnlySpan<Value> arguments)
    {
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
        return (Tensor.Own((nint)stack[0]), Tensor.Own((nint)stack[1]));
    }

    /// <summary>Calls an operator with three tensors as its result.</summary>
    public static (Tensor First, Tensor Second, Tensor Third) Call3(
        ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Value> arguments)
    {
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
        return (Tensor.Own((nint)stack[0]), Tensor.Own((nint)stack[1]), Tensor.Own((nint)stack[2]));
    }

    /// <summary>Calls an in-place operator: its result is its first argument again, and is let go.</summary>
    public static void InPlace(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Value> arguments)
    {
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
        Check(Native.DeleteTensor((nint)stack[0]), "aoti_torch_delete_tensor_object");
    }

    /// <summary>Calls an operator without a result.</summary>
    public static void Run(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Value> arguments)
    {
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
    }

    /// <summary>Calls an operator whose result is one number, switch or integer, as its raw word.</summary>
    public static ulong CallWord(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Value> arguments)
    {
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
        return stack[0];
    }

    /// <summary>Calls an operator whose result is a list of tensors.</summary>
    public static Tensor[] CallList(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Value> arguments)
    {
        var stack = stackalloc ulong[MaximumArguments];
        Invoke(name, overload, arguments, stack);
        var list = (nint)stack[0];
        nuint count;
        Check(Native.ListSize(list, &count), "torch_list_size");
        var tensors = new Tensor[(int)count];
        for (nuint i = 0; i < count; i++)
        {
            ulong item;
            Check(Native.ListItem(list, i, &item), "torch_list_get_item");
            tensors[i] = Tensor.Own((nint)item);
        }
        Check(Native.DeleteList(list), "torch_delete_list");
        return tensors;
    }

    /// <summary>Turns the code of a native function that is no operator into an exception.</summary>
    internal static void Check(int code, string function)
    {
        if (code != 0)
            throw new LibtorchException($"{function} failed: {NativeMessages.Reason(NativeMessages.Take())}");
    }

    private static void Invoke(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, ReadOnlySpan<Value> arguments, ulong* stack)
    {
        for (var i = 0; i < arguments.Length; i++)
            stack[i] = arguments[i].ToStack();
        int code;
        byte empty = 0;
        fixed (byte* namePointer = name)
        fixed (byte* overloadPointer = overload)
            code = Native.CallDispatcher(namePointer, overload.IsEmpty ? &empty : overloadPointer, stack, LibtorchLibrary.AbiVersion);
        if (code != 0)
            throw Failure(name, overload, arguments);
    }

    private static LibtorchException Failure(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, ReadOnlySpan<Value> arguments)
    {
        var reason = NativeMessages.Reason(NativeMessages.Take());
        var text = new StringBuilder(Encoding.UTF8.GetString(name));
        if (!overload.IsEmpty)
            text.Append('.').Append(Encoding.UTF8.GetString(overload));
        text.Append('(');
        for (var i = 0; i < arguments.Length; i++)
            text.Append(i == 0 ? "" : ", ").Append(arguments[i].Describe());
        text.Append(") failed");
        return new LibtorchException(reason.Length == 0 ? text.ToString() : text.Append(": ").Append(reason).ToString());
    }
}
