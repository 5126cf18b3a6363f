using Handbook.Torch;

namespace Handbook.Training.Objectives;

/// <summary>Numbers that leave the device together: whoever wants some for a metric says so, and all are read in one wait.</summary>
public sealed class Readings
{
    private readonly List<(Tensor Tensor, Reading Reading)> wanted = [];

    /// <summary>Asks for a tensor's elements, which must be there until <see cref="Read"/>.</summary>
    public Reading Of(Tensor tensor)
    {
        var reading = new Reading();
        wanted.Add((tensor, reading));
        return reading;
    }

    /// <summary>Reads all that was asked for.</summary>
    public void Read(DeviceWait place)
    {
        using var scope = new TensorScope();
        var all = Operator.Call("aten::cat"u8, default, wanted.Select(want => want.Tensor.To(DType.Float64).Reshape(-1)).ToArray(), 0L)
            .Read<double>(place);
        var start = 0;
        foreach (var (tensor, reading) in wanted)
        {
            var count = (int)tensor.ElementCount;
            reading.Set(all[start..(start + count)]);
            start += count;
        }
        wanted.Clear();
    }
}

/// <summary>Elements that were asked for.</summary>
public sealed class Reading
{
    private double[]? values;

    /// <summary>The elements, in row-major order.</summary>
    /// <exception cref="InvalidOperationException">They have not been read yet.</exception>
    public double[] Values => values ?? throw new InvalidOperationException("The numbers of this micro-batch have not been read yet.");

    /// <summary>The only element.</summary>
    public double Value => Values[0];

    internal void Set(double[] read) => values = read;
}
