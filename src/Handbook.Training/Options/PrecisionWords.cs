namespace Handbook.Training.Options;

/// <summary>What a person calls a precision.</summary>
public static class PrecisionWords
{
    /// <summary>What is computed and kept in which type.</summary>
    public static string Words(this Precision precision) => precision switch
    {
        Precision.Bfloat16Mixed => "bf16 with float32 master weights",
        Precision.Float32 => "float32",
        Precision.Bfloat16 => "bf16 throughout",
        Precision.Float16Mixed => "fp16 with float32 master weights",
        _ => "the machine's choice",
    };
}
