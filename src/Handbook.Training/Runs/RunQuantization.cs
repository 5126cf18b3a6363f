using Handbook.Autograd.Quantization;
using Handbook.Models;
using Handbook.Models.Configuration;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>Frozen weights in few bits, as a recipe asks for them.</summary>
internal static class RunQuantization
{
    /// <summary>What the model is loaded with; null leaves its weights as they are.</summary>
    internal static QuantizationConfig? Of(RunOptions options) => options.Quantization is not { } asked ? null : new QuantizationConfig
    {
        Format = asked.Bits == 8 ? CodeFormat.Int8 : QuantizationConfig.FormatOf(asked.QuantType),
        DoubleQuantization = asked.DoubleQuantization,
    };

    /// <summary>A name for what a reference's log-probabilities depend on; empty for plain weights.</summary>
    internal static string Key(RunOptions options) => Of(options) is not { } quantization ? ""
        : $", {quantization.Format.Name}{(quantization.DoubleQuantization ? " twice" : "")}";

    /// <summary>Refuses to train a model whole whose weights are in few bits already.</summary>
    internal static void CheckTrained(IPretrainedModel model)
    {
        if (model.Config.Quantization is { } held)
            throw new UserErrorException($"model_name_or_path: the weights are in {held.Format.Name} codes, which do not train; add "
                + "use_peft: true, or take the full-precision checkpoint.");
    }
}
