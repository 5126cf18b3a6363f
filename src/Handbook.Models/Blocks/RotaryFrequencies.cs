using Handbook.Models.Configuration;

namespace Handbook.Models.Blocks;

/// <summary>Inverse frequencies of rotary embeddings, in float32 steps like those of the reference.</summary>
public static class RotaryFrequencies
{
    /// <summary>theta^(-2i / width) for i from 0 to width / 2 - 1, stretched as the configuration says.</summary>
    /// <param name="config">The rotary embedding.</param>
    /// <param name="length">Length of the sequence in tokens; only dynamic scaling looks at it.</param>
    public static float[] Inverse(RotaryConfig config, int length)
    {
        switch (config.Scaling)
        {
            case RotaryScaling.Linear linear:
                return Array.ConvertAll(Plain(config.Theta, config.Width), frequency => frequency / (float)linear.Factor);
            case RotaryScaling.Dynamic dynamic:
                return Plain(DynamicTheta(config, dynamic, length), config.Width);
            case RotaryScaling.Llama3 llama3:
                return Array.ConvertAll(Plain(config.Theta, config.Width), frequency => Blend(llama3, frequency));
            case RotaryScaling.Yarn yarn:
                return Ramp(config, yarn);
            default:
                return Plain(config.Theta, config.Width);
        }
    }

    /// <summary>Factor on cosines and sines.</summary>
    public static double Scale(RotaryConfig config) => config.Scaling is RotaryScaling.Yarn yarn ? yarn.AttentionFactor : 1;

    private static float[] Plain(double theta, int width)
    {
        var frequencies = new float[width / 2];
        for (var i = 0; i < frequencies.Length; i++)
            frequencies[i] = 1f / (float)Math.Pow(theta, (float)(2 * i) / width);
        return frequencies;
    }

    private static double DynamicTheta(RotaryConfig config, RotaryScaling.Dynamic scaling, int length)
    {
        double effective = Math.Max(length, scaling.TrainedLength);
        var growth = scaling.Factor * effective / scaling.TrainedLength - (scaling.Factor - 1);
        return config.Theta * Math.Pow(growth, config.Width / (double)(config.Width - 2));
    }

    private static float Blend(RotaryScaling.Llama3 scaling, float frequency)
    {
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength < scaling.TrainedLength / scaling.HighFrequencyFactor)
            return frequency;
        var stretched = frequency / (float)scaling.Factor;
        if (wavelength > scaling.TrainedLength / scaling.LowFrequencyFactor)
            return stretched;
        var kept = (scaling.TrainedLength / wavelength - scaling.LowFrequencyFactor)
            / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return (float)((1 - kept) * stretched + kept * frequency);
    }

    private static float[] Ramp(RotaryConfig config, RotaryScaling.Yarn yarn)
    {
        var plain = Plain(config.Theta, config.Width);
        var low = Dimension(config, yarn.BetaFast, yarn.TrainedLength);
        var high = Dimension(config, yarn.BetaSlow, yarn.TrainedLength);
        if (yarn.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, config.Width - 1);
        if (low == high)
            high += 0.001;
        for (var i = 0; i < plain.Length; i++)
        {
            var stretched = Math.Clamp((i - low) / (high - low), 0, 1);
            plain[i] = (float)(plain[i] / yarn.Factor * stretched + plain[i] * (1 - stretched));
        }
        return plain;
    }

    /// <summary>The dimension that makes so many rotations over the trained length (arXiv:2309.00071, equation 17).</summary>
    private static double Dimension(RotaryConfig config, double rotations, int trainedLength) =>
        config.Width * Math.Log(trainedLength / (rotations * 2 * Math.PI)) / (2 * Math.Log(config.Theta));
}
