namespace Handbook.Gguf.Quantization;

/// <summary>Rounding as ggml does it.</summary>
internal static class Rounded
{
    /// <summary>The nearest integer, the even one of two.</summary>
    public static int Even(float value) => (int)MathF.Round(value);
}
