using System.Globalization;

namespace Handbook.Templates.Values;

/// <summary>The methods of <c>bytes</c>: its own, and those that it has in common with <c>str</c>.</summary>
internal static class BytesMethods
{
    /// <summary>What works on bytes as it does on texts.</summary>
    private static readonly HashSet<string> Shared = new(StringComparer.Ordinal)
    {
        "capitalize", "center", "count", "endswith", "expandtabs", "find", "isalnum", "isalpha", "isascii", "isdigit", "islower", "isspace",
        "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rjust",
        "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
    };

    /// <summary>Those whose sought part may be the number of one byte.</summary>
    private static readonly string[] Searches = ["count", "find", "rfind"];

    public static bool TryGet(BytesValue self, string name, out object? value)
    {
        value = name switch
        {
            "decode" => new BuiltinFunction(name, (context, arguments) => Codecs.Decode(context, self, arguments)),
            "translate" => new BuiltinFunction(name, (context, arguments) => Translate(context, self, arguments)),
            "hex" => new BuiltinFunction(name, (context, arguments) => Hex(context, self, arguments)),
            "index" or "rindex" =>
                new BuiltinFunction(name,
                    (context, arguments) => Found(Apply(context, self, name == "index" ? "find" : "rfind", arguments))),
            _ => Shared.Contains(name) ? new BuiltinFunction(name, (context, arguments) => Apply(context, self, name, arguments)) : null,
        };
        return value is not null;
    }

    /// <summary>Each byte exchanged by a table of 256, those of <c>delete</c> left out.</summary>
    private static BytesValue Translate(RenderContext context, BytesValue self, Arguments arguments)
    {
        var values = new Signature("bytes.translate", 1, "table", "delete").Bind(arguments);
        var table = (values[0] as BytesValue)?.ToArray();
        if (table is null ? values[0] is not null : table.Length != 256)
            throw table is null
                ? PythonError.Type($"a bytes-like object is required, not '{PythonText.TypeName(values[0])}'")
                : PythonError.Value("translation table must be 256 characters long");
        var left = (values[1] as BytesValue)?.ToArray() ?? [];
        context.Charge(self.Veiled.Length);
        return new BytesValue([.. self.ToArray().Where(value => !left.Contains(value)).Select(value => table?[value] ?? value)]);
    }

    private static object? Found(object? index) => index is long and >= 0 ? index : throw PythonError.Value("subsection not found");

    private static object? Apply(RenderContext context, BytesValue self, string name, Arguments arguments)
    {
        var positional = Array.ConvertAll(arguments.Positional, value => ToText(context, value));
        if (Searches.Contains(name) && positional is [long and >= 0 and <= 255, ..])
            positional[0] = BytesValue.Veil((byte)(long)positional[0]!).ToString();
        var named = arguments.Named.Select(entry => KeyValuePair.Create(entry.Key, ToText(context, entry.Value))).ToList();
        return FromText(StringMethods.Invoke(context, self.Veiled, name, new Arguments(positional, named)));
    }

    private static object? ToText(RenderContext context, object? value) => value switch
    {
        BytesValue bytes => bytes.Veiled,
        string or Markup => throw PythonError.Type("a bytes-like object is required, not 'str'"),
        SequenceValue items =>
            items.With(Array.ConvertAll(Operations.ToArray(context, items), item => item is BytesValue bytes ? bytes.Veiled : item)),
        _ => value,
    };

    private static object? FromText(object? value) => value switch
    {
        string text => new BytesValue(text),
        SequenceValue items => items.With(Array.ConvertAll(items.Items, FromText)),
        _ => value,
    };

    private static string Hex(RenderContext context, BytesValue self, Arguments arguments)
    {
        var values = new Signature("bytes.hex", 0, "sep", "bytes_per_sep").Bind(arguments);
        var digits = Convert.ToHexStringLower(self.ToArray());
        if (values[0] == Signature.Missing)
            return context.Checked(digits);
        var separator = Operations.AsText(values[0]) ?? (values[0] as BytesValue)?.Veiled ?? "";
        if (separator.Length != 1)
            throw PythonError.Value("sep must be length 1.");
        var every = values[1] == Signature.Missing ? 1 : Numbers.ToIndex(values[1]);
        if (every == 0)
            return context.Checked(digits);
        var (count, size) = (digits.Length / 2, Math.Abs(every));
        // Groups are counted from the right, or from the left when their size is negative.
        var bytes = Enumerable.Range(0, count).Select(i =>
            string.Concat(i > 0 && (every > 0 ? count - i : i) % size == 0 ? separator : "", digits.AsSpan(i * 2, 2)));
        context.Charge(count);
        return context.Checked(string.Concat(bytes));
    }

    /// <summary><c>int.to_bytes</c>.</summary>
    public static BytesValue OfInteger(System.Numerics.BigInteger number, Arguments arguments)
    {
        var values = new Signature("to_bytes", 0, "length", "byteorder", "signed").Bind(arguments);
        var length = values[0] == Signature.Missing ? 1 : Numbers.ToIndex(values[0]);
        var isSigned = values[2] != Signature.Missing && Operations.IsTrue(values[2]);
        if (length < 0)
            throw PythonError.Value("length argument must be non-negative");
        if (number.Sign < 0 && !isSigned)
            throw new PythonError("OverflowError", "can't convert negative int to unsigned");
        if (number.GetByteCount(!isSigned) > length && !(number.IsZero && length == 0))
            throw new PythonError("OverflowError", "int too big to convert");
        Budget.Make(length);
        var bytes = new byte[length];
        Array.Fill(bytes, (byte)(number.Sign < 0 ? 0xFF : 0));
        if (length > 0)
            number.TryWriteBytes(bytes, out _, !isSigned);
        if (IsBigEndian(values[1]))
            Array.Reverse(bytes);
        return new BytesValue(bytes);
    }

    /// <summary><c>int.from_bytes</c>.</summary>
    public static object ToInteger(RenderContext context, Arguments arguments)
    {
        var values = new Signature("from_bytes", 1, "bytes", "byteorder", "signed").Bind(arguments);
        var bytes = values[0] is BytesValue given
            ? given.ToArray()
            : [.. Operations.Each(context, values[0]).Select(item => Numbers.ToIndex(item) is >= 0 and <= 255 and var value
            ? (byte)value : throw PythonError.Value("bytes must be in range(0, 256)"))];
        context.CheckLength(bytes.Length * 8L / context.Limits.MaxIntegerBits * context.Limits.MaxTextLength);
        return Numbers.Normalize(new System.Numerics.BigInteger(bytes, values[2] == Signature.Missing || !Operations.IsTrue(values[2]),
            IsBigEndian(values[1])));
    }

    private static bool IsBigEndian(object? order) => order == Signature.Missing ? true : Operations.AsText(order) switch
    {
        "big" => true,
        "little" => false,
        _ => throw PythonError.Value("byteorder must be either 'little' or 'big'"),
    };
}
