using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Training.Optimizers;

/// <summary>What the running averages of a parameter are kept in.</summary>
internal static class AverageFormat
{
    /// <summary>bitsandbytes' <c>min_8bit_size</c>: averages of smaller weights stay in float32.</summary>
    private const long LeastIn8Bit = 4096;

    /// <summary>A running average before the first step.</summary>
    internal static RunningAverage Zeros(this OptimizerStates states, AverageForm form, Parameter parameter)
    {
        var value = parameter.Value;
        return states == OptimizerStates.Blocks8Bit && IsIn8Bit(parameter)
            ? RunningAverage.ZerosInCodes(form.Name, form.Shape, form.IsSigned ? DynamicCodes.Signed : DynamicCodes.Unsigned, value.Device)
            : RunningAverage.Zeros(form.Name, form.Shape, OptimizerSlot.SumsOf(value), value.Device);
    }

    // As transformers asks bitsandbytes for: rows of tokens that are seldom met stand beside others in a block.
    private static bool IsIn8Bit(Parameter parameter) =>
        parameter.Value.ElementCount >= LeastIn8Bit && parameter.Value.DType != DType.Float64 && !ModelEnds.IsEmbedding(parameter.Name);
}
