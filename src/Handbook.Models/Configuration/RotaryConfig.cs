namespace Handbook.Models.Configuration;

/// <summary>Rotary position embedding (arXiv:2104.09864) and how it is stretched beyond the length it was trained for.</summary>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="Width">Leading elements of a head that are turned, even.</param>
public sealed record RotaryConfig(double Theta, int Width)
{
    /// <summary>How frequencies are stretched.</summary>
    public RotaryScaling Scaling { get; init; } = new RotaryScaling.None();

    /// <summary>True when elements 2i and 2i + 1 of a head are turned together (Cohere), false for i and i + width / 2.</summary>
    public bool TurnsNeighbours { get; init; }
}

/// <summary>A way to stretch rotary frequencies.</summary>
public abstract record RotaryScaling
{
    private RotaryScaling() { }

    /// <summary>Frequencies as they are.</summary>
    public sealed record None : RotaryScaling;

    /// <summary>Every frequency divided by a factor (position interpolation, arXiv:2306.15595).</summary>
    /// <param name="Factor">At least 1.</param>
    public sealed record Linear(double Factor) : RotaryScaling;

    /// <summary>The base grows with the length of the sequence once that exceeds <paramref name="TrainedLength"/>
    /// ("dynamic NTK").</summary>
    /// <param name="Factor">At least 1.</param>
    /// <param name="TrainedLength">In tokens.</param>
    public sealed record Dynamic(double Factor, int TrainedLength) : RotaryScaling;

    /// <summary>Llama 3.1's: long wavelengths divided by a factor, short ones kept, those between blended (arXiv:2407.21783).</summary>
    /// <param name="Factor">At least 1.</param>
    /// <param name="LowFrequencyFactor">Wavelengths above TrainedLength / this are stretched whole.</param>
    /// <param name="HighFrequencyFactor">Wavelengths below TrainedLength / this are kept.</param>
    /// <param name="TrainedLength">In tokens.</param>
    public sealed record Llama3(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int TrainedLength) : RotaryScaling;

    /// <summary>YaRN (arXiv:2309.00071): a ramp over dimensions between kept and stretched, and a factor on cosines and sines.</summary>
    /// <param name="Factor">At least 1.</param>
    /// <param name="TrainedLength">In tokens.</param>
    /// <param name="AttentionFactor">On cosines and sines.</param>
    /// <param name="BetaFast">Rotations over the trained length above which a dimension is kept.</param>
    /// <param name="BetaSlow">Rotations below which it is stretched whole.</param>
    /// <param name="Truncate">Whether the ramp's ends are whole dimensions.</param>
    public sealed record Yarn(double Factor, int TrainedLength, double AttentionFactor, double BetaFast, double BetaSlow, bool Truncate)
        : RotaryScaling;
}
