using Handbook.Torch;

namespace Handbook.Training.Options;

/// <summary>What a precision is made of, and what a person calls it.</summary>
public static class PrecisionWords
{
    /// <summary>The element type that products are computed in.</summary>
    public static DType ComputeDType(this Precision precision) => precision switch
    {
        Precision.Float32 => DType.Float32,
        Precision.Float16Mixed => DType.Float16,
        _ => DType.BFloat16,
    };

    /// <summary>What is computed and kept in which type.</summary>
    public static string Words(this Precision precision) => precision switch
    {
        Precision.Bfloat16Mixed => "bf16 with float32 master weights",
        Precision.Float32 => "float32",
        Precision.Bfloat16 => "bf16 throughout",
        Precision.Float16Mixed => "fp16 with float32 master weights and a loss scale",
        _ => "the machine's choice",
    };
}
