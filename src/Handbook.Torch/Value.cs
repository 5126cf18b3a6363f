using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>
/// One argument of an operator, in the form of the stable ABI: tensors, numbers and switches convert by themselves; a value
/// that the schema calls optional (<c>int?</c>, <c>Tensor?</c>, <c>ScalarType?</c>) is wrapped with <see cref="Some"/> or is
/// <see cref="None"/>. It is a description only: what is native is made at the call, and owned by it.
/// </summary>
public readonly unsafe struct Value
{
    private enum Kind : byte
    {
        None,
        Word,
        Tensor,
        Integers,
        Tensors,
        Text,
    }

    private readonly Kind kind;
    private readonly bool optional;
    private readonly ulong word;
    private readonly object? reference;

    private Value(Kind kind, ulong word, object? reference, bool optional = false)
    {
        this.kind = kind;
        this.word = word;
        this.reference = reference;
        this.optional = optional;
    }

    /// <summary>An absent optional.</summary>
    public static Value None => default;

    /// <summary>The same value as the present content of an optional.</summary>
    public static Value Some(Value value) => new(value.kind, value.word, value.reference, optional: value.kind != Kind.None);

    /// <summary>A present optional tensor, or none for null.</summary>
    public static Value Optional(Tensor? tensor) => tensor is null ? None : Some(tensor);

    /// <summary>A tensor; the call takes its own handle, the tensor stays yours.</summary>
    public static implicit operator Value(Tensor tensor) => new(Kind.Tensor, 0, tensor);

    /// <summary>An integer.</summary>
    public static implicit operator Value(long number) => new(Kind.Word, (ulong)number, null);

    /// <summary>A floating-point number (or a <c>Scalar</c>).</summary>
    public static implicit operator Value(double number) => new(Kind.Word, BitConverter.DoubleToUInt64Bits(number), null);

    /// <summary>A switch.</summary>
    public static implicit operator Value(bool flag) => new(Kind.Word, flag ? 1UL : 0UL, null);

    /// <summary>An element type.</summary>
    public static implicit operator Value(DType dtype) => new(Kind.Word, (ulong)dtype, null);

    /// <summary>A list of integers.</summary>
    public static implicit operator Value(long[] numbers) => new(Kind.Integers, 0, numbers);

    /// <summary>A list of tensors.</summary>
    public static implicit operator Value(Tensor[] tensors) => new(Kind.Tensors, 0, tensors);

    /// <summary>A text.</summary>
    public static implicit operator Value(string text) => new(Kind.Text, 0, text);

    /// <summary>The tensor that it is; null for anything else.</summary>
    internal Tensor? AsTensor() => reference as Tensor;

    /// <summary>The integers that it is.</summary>
    internal long[] AsIntegers() => (long[])reference!;

    /// <summary>The integer or switch that it is.</summary>
    internal long AsInteger() => (long)word;

    /// <summary>The word that goes on the stack; it owns what it points to.</summary>
    internal ulong ToStack()
    {
        var content = kind switch
        {
            Kind.Tensor => (ulong)((Tensor)reference!).DuplicateHandle(),
            Kind.Integers => IntegerList((long[])reference!),
            Kind.Tensors => TensorList((Tensor[])reference!),
            Kind.Text => TextHandle((string)reference!),
            _ => word,
        };
        if (!optional)
            return content;
        var box = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *box = content;
        return (ulong)box;
    }

    /// <summary>The value as an error message shows it: shapes and dtypes of tensors, numbers as they are.</summary>
    internal string Describe() => kind switch
    {
        Kind.None => "none",
        Kind.Tensor => ((Tensor)reference!).ToString(),
        Kind.Integers => "[" + string.Join(", ", (long[])reference!) + "]",
        Kind.Tensors => "[" + string.Join(", ", ((Tensor[])reference!).Select(tensor => tensor.ToString())) + "]",
        Kind.Text => $"\"{reference}\"",
        _ => (long)word is > -(1L << 40) and < 1L << 40
            ? ((long)word).ToString(System.Globalization.CultureInfo.InvariantCulture)
            : BitConverter.UInt64BitsToDouble(word).ToString("R", System.Globalization.CultureInfo.InvariantCulture),
    };

    private static ulong IntegerList(long[] numbers)
    {
        nint list;
        Operator.Check(Native.NewList((nuint)numbers.Length, &list), "torch_new_list_reserve_size");
        foreach (var number in numbers)
            Operator.Check(Native.ListPush(list, (ulong)number), "torch_list_push_back");
        return (ulong)list;
    }

    private static ulong TensorList(Tensor[] tensors)
    {
        nint list;
        Operator.Check(Native.NewList((nuint)tensors.Length, &list), "torch_new_list_reserve_size");
        foreach (var tensor in tensors)
            Operator.Check(Native.ListPush(list, (ulong)tensor.DuplicateHandle()), "torch_list_push_back");
        return (ulong)list;
    }

    private static ulong TextHandle(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text + "\0");
        nint handle;
        fixed (byte* data = bytes)
            Operator.Check(Native.NewString(data, (nuint)(bytes.Length - 1), &handle), "torch_new_string_handle");
        return (ulong)handle;
    }
}
