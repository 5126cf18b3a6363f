namespace Handbook.Autograd.Quantization;

/// <summary>Codes of few bits that stand for numbers, with a scale for each block of neighbouring elements.</summary>
public sealed class CodeFormat
{
    // The middles between neighbouring numbers of a table in bit-pattern order, as bitsandbytes' kernels spell them.
    private static readonly float[] Float4Middles = [0.00260417f, 0.0859375f, 0.20833333f, 0.29166667f, 0.4166667f, 0.583333f, 0.8333333f];
    private static readonly byte[] Float4Order = [0, 1, 6, 7, 4, 5, 2, 3];

    private CodeFormat(string name, int bits, float[] table) => (Name, Bits, Table) = (name, bits, table);

    /// <summary>
    /// NF4: quantiles of the normal distribution, so that normal weights use every code alike (QLoRA; Dettmers et al. 2023,
    /// arXiv:2305.14314, appendix E).
    /// </summary>
    public static CodeFormat NormalFloat4 { get; } = OfSorted("nf4",
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
        -0.09105003625154495f, 0.0f, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ]);

    /// <summary>FP4 as bitsandbytes orders it: a sign, two bits of exponent, one of mantissa; the largest number is 1.</summary>
    public static CodeFormat Float4 { get; } = new("fp4", 4, Float4Table())
    {
        HasSign = true,
        Middles = Float4Middles,
        Order = [.. Float4Order, .. Float4Order.Select(code => (byte)(code + 8))],
    };

    /// <summary>
    /// A byte with a sign, and a scale for each row of the matrix, as LLM.int8 stores weights (Dettmers et al. 2022, arXiv:2208.07339).
    /// Its products here take the weight's numbers alone: neither are activations rounded to 8 bits nor outlying columns taken apart.
    /// </summary>
    public static CodeFormat Int8 { get; } = new("int8", 8, []);

    /// <summary>bitsandbytes' name: <c>nf4</c>, <c>fp4</c> or <c>int8</c>.</summary>
    public string Name { get; }

    /// <summary>Bits of a code: 4 or 8.</summary>
    public int Bits { get; }

    /// <summary>The number of each 4-bit code, in units of its block's scale; empty for 8 bits, whose codes are numbers.</summary>
    public IReadOnlyList<float> Table { get; }

    /// <summary>Whether a code's highest bit is a sign, and <see cref="Middles"/> bounds of absolute values.</summary>
    internal bool HasSign { get; private init; }

    /// <summary>A number lies above as many numbers of the table as it is greater than these.</summary>
    internal float[] Middles { get; private init; } = [];

    /// <summary>The code for each count of middles, with a sign's bit added to it.</summary>
    internal byte[] Order { get; private init; } = [];

    private static CodeFormat OfSorted(string name, float[] table) => new(name, 4, table)
    {
        Middles = [.. table.Zip(table.Skip(1), (low, high) => (low + high) / 2)],
        Order = [.. Enumerable.Range(0, table.Length).Select(code => (byte)code)],
    };

    private static float[] Float4Table()
    {
        float[] magnitudes = [0, 0.0625f, 8, 12, 4, 6, 2, 3];
        return [.. magnitudes.Select(number => number / 12), .. magnitudes.Select(number => -number / 12)];
    }
}
