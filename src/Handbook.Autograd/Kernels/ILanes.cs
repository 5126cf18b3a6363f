namespace Handbook.Autograd.Kernels;

/// <summary>
/// Float32 numbers of one SIMD register. Kernels take its width as a type parameter: 16 lanes on processors with AVX-512, 8 with AVX2,
/// 4 on all others, ARM's included. Operations that are named after bits see each lane as an unsigned 32-bit integer; comparisons give
/// lanes of ones or zeros.
/// </summary>
internal unsafe interface ILanes<TSelf> where TSelf : unmanaged, ILanes<TSelf>
{
    /// <summary>Lanes of the register, a power of two; a constant where kernels are compiled.</summary>
    static abstract int Count { get; }

    /// <summary>The bits 0, 1, 2 ... in the lanes.</summary>
    static abstract TSelf IndexBits { get; }

    /// <summary>One of the lanes.</summary>
    float this[int lane] { get; }

    /// <summary>The same number in every lane.</summary>
    static abstract TSelf Create(float value);

    /// <summary>The same bits in every lane.</summary>
    static abstract TSelf CreateBits(uint bits);

    /// <summary>Reads neighbouring numbers.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>Reads neighbouring 16-bit integers, each into the lower half of a lane.</summary>
    static abstract TSelf LoadHalves(ushort* source);

    /// <summary>Reads neighbouring bytes, each into the lowest of a lane.</summary>
    static abstract TSelf LoadBytes(byte* source);

    /// <summary>Numbers of a table of 16, by the lower four bits of each lane.</summary>
    static abstract TSelf LookUp(float* table, TSelf indices);

    /// <summary>Numbers of a table of any size, by the bits of each lane.</summary>
    static abstract TSelf Gather(float* table, TSelf indices);

    /// <summary>The lanes of two registers by turns, as two registers.</summary>
    static abstract (TSelf First, TSelf Second) ByTurns(TSelf even, TSelf odd);

    /// <summary>Writes neighbouring numbers.</summary>
    void Store(float* target);

    /// <summary>Writes the lower halves of the lanes, whose upper halves are zero.</summary>
    void StoreHalves(ushort* target);

    /// <summary>Writes the lowest byte of each lane; the others are zero.</summary>
    void StoreBytes(byte* target);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf value);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, float right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    static abstract TSelf operator &(TSelf left, TSelf right);

    static abstract TSelf operator |(TSelf left, TSelf right);

    static abstract TSelf operator ^(TSelf left, TSelf right);

    /// <summary>a * b + c, rounded once where the processor can.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The larger of two; the second where x86 meets a NaN.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>The smaller of two; the second where x86 meets a NaN.</summary>
    static abstract TSelf Min(TSelf left, TSelf right);

    /// <summary>Square roots.</summary>
    static abstract TSelf Sqrt(TSelf value);

    /// <summary>Logarithms of base 2.</summary>
    static abstract TSelf Log2(TSelf value);

    /// <summary>What lies above the whole number below, in [0, 1]; 0 for infinities.</summary>
    static abstract TSelf Fraction(TSelf value);

    /// <summary>value * 2^(the whole number below the exponent), for values in [1, 2]; products below 2^-126 may come out as 0.</summary>
    static abstract TSelf Scale(TSelf value, TSelf exponent);

    /// <summary>Sum of the lanes.</summary>
    static abstract float Sum(TSelf value);

    /// <summary>The sums of four registers' lanes, one after the other; each is made in the same way whatever stands beside it.</summary>
    static abstract void StoreSums(TSelf first, TSelf second, TSelf third, TSelf fourth, float* target);

    static abstract TSelf GreaterThan(TSelf left, TSelf right);

    static abstract TSelf Equals(TSelf left, TSelf right);

    /// <summary>True when some lane is greater.</summary>
    static abstract bool AnyGreater(TSelf left, TSelf right);

    /// <summary>Lanes of the first where the mask has ones, of the second where it has zeros.</summary>
    static abstract TSelf Select(TSelf mask, TSelf ones, TSelf zeros);

    static abstract TSelf AddBits(TSelf left, TSelf right);

    static abstract TSelf SubtractBits(TSelf left, TSelf right);

    /// <summary>Lower 32 bits of products.</summary>
    static abstract TSelf MultiplyBits(TSelf left, TSelf right);

    static abstract TSelf ShiftLeft(TSelf value, int bits);

    static abstract TSelf ShiftRight(TSelf value, int bits);

    static abstract TSelf LessThanBits(TSelf left, TSelf right);

    static abstract TSelf EqualBits(TSelf left, TSelf right);

    /// <summary>Adds the squares of the lanes to sums in float64, which take a register each for the lower and the upper half.</summary>
    static abstract void AddSquares(TSelf value, ref TSelf lowSums, ref TSelf highSums);

    /// <summary>Sum of all float64 in two registers.</summary>
    static abstract double SumDoubles(TSelf low, TSelf high);
}
