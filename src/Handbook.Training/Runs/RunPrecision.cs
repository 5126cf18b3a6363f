using System.Globalization;
using Handbook.Autograd.Kernels;
using Handbook.Models.Adapters;
using Handbook.Models.Safetensors;
using Handbook.Torch;
using Handbook.Training.Checkpoints;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>
/// In which numbers a run computes when its recipe leaves that to the machine: in bf16 where that is faster than float32. A run that
/// goes on keeps the numbers of its checkpoint, on whatever machine it goes on.
/// </summary>
public static class RunPrecision
{
    /// <summary>The precision, never <see cref="Precision.Auto"/>.</summary>
    /// <param name="model">What the recipe says.</param>
    /// <param name="resumed">The checkpoint that the run goes on from, or null.</param>
    /// <exception cref="UserErrorException">The checkpoint's weights cannot be read.</exception>
    public static Precision Of(ModelOptions model, Checkpoint? resumed)
    {
        if (model.Precision != Precision.Auto)
            return model.Precision;
        if (resumed is null)
            return IsFast(model) ? Precision.Bfloat16Mixed : Precision.Float32;
        using var weights = AdapterFolder.Is(resumed.Folder)
            ? new SafetensorsFolder(resumed.Folder, AdapterFolder.WeightsFile) : new SafetensorsFolder(resumed.Folder);
        return weights.Entry(weights.Names.First()).DTypeName == "F32" ? Precision.Float32 : Precision.Bfloat16Mixed;
    }

    /// <summary>The options with a precision that is never <see cref="Precision.Auto"/>.</summary>
    /// <param name="model">The recipe's wish.</param>
    /// <param name="resumed">The checkpoint that the run goes on from, or null.</param>
    /// <exception cref="UserErrorException">The checkpoint's weights cannot be read.</exception>
    public static ModelOptions Settle(ModelOptions model, Checkpoint? resumed) =>
        model with { Precision = Of(model, resumed), IsMachinesPrecision = model.Precision == Precision.Auto };

    /// <summary>What a person wants to know of a run's numbers, once they are settled.</summary>
    public static string Words(ModelOptions model)
    {
        var name = model.Precision.Words();
        if (model.IsMachinesPrecision)
        {
            if (model.Precision != Of(model with { Precision = Precision.Auto }, null))
                return $"{name}, as in the checkpoint";
            return IsHost(model) ? $"{name}: {Speed()}" : name;
        }
        if (model.Precision == Precision.Float16Mixed)
            return IsHost(model) ? $"{name}, as asked for; the host has no kernels of its own for fp16: bf16 or float32 are faster" : name;
        return model.Precision == Precision.Float32 || IsFast(model)
            ? name : $"{name}, as asked for; {Speed()}, so that precision: auto takes float32";
    }

    // GPUs that libtorch 2.10 still serves multiply bfloat16 faster than float32; a host is measured.
    private static bool IsFast(ModelOptions model) => !IsHost(model) || BFloat16Speed.IsFast;

    private static bool IsHost(ModelOptions model) => RunDevice.Of(model).Device.Kind == DeviceKind.Cpu;

    /// <summary>What was measured, in words.</summary>
    public static string Speed() =>
        string.Create(CultureInfo.InvariantCulture, $"bf16 products run here at {BFloat16Speed.Ratio:0.0} times the rate of float32");
}
