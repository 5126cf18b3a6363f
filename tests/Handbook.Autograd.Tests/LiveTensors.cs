using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Counts the tensors that repeated work leaves alive outside every scope.</summary>
internal static class LiveTensors
{
    private const int Repetitions = 25;

    /// <summary>
    /// Tensors left alive by each repetition. Other tests run at the same time, so only growth with every repetition counts.
    /// </summary>
    internal static long Growth(Action work)
    {
        var smallest = long.MaxValue;
        for (var i = 0; i < Repetitions; i++)
        {
            var before = Tensor.LiveCount;
            using (new TensorScope())
                work();
            smallest = Math.Min(smallest, Math.Max(0, Tensor.LiveCount - before));
        }
        return smallest;
    }
}
