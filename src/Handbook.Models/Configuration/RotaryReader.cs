using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Models.Configuration;

/// <summary>
/// Reads the rotary embedding of a config in all spellings: <c>rope_theta</c> with <c>rope_scaling</c> (<c>type</c> or
/// <c>rope_type</c>), and the <c>rope_parameters</c> of transformers 5.
/// </summary>
internal static class RotaryReader
{
    private static readonly string[] Kinds = ["default", "linear", "dynamic", "llama3", "yarn"];

    /// <summary>Reads the one embedding of a model.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="headDim">Elements of a head.</param>
    /// <param name="maxPositions">The model's longest sequence.</param>
    /// <param name="theta">Default of <c>rope_theta</c>.</param>
    /// <param name="absent">What stands for a configuration that has neither object; null for no scaling.</param>
    internal static RotaryConfig Read(
        ConfigReader config, int headDim, int maxPositions, double theta = 10000, JsonObject? absent = null)
    {
        var parameters = config.Object("rope_parameters");
        var scaling = config.Object("rope_scaling");
        if (parameters is not null && scaling is not null && !JsonNode.DeepEquals(parameters, scaling))
            config.Problem("rope_parameters", "and rope_scaling are both given and differ; keep one", 0);
        var fields = new ConfigReader(parameters ?? scaling ?? absent ?? [],
            $"{config.Path}: {(parameters is null ? "rope_scaling" : "rope_parameters")}");
        return Read(config, fields, headDim, maxPositions, config.Number("rope_theta", theta));
    }

    /// <summary>
    /// The embeddings of layers that see all and of those that look through a window: transformers 5 has one object for each kind in
    /// <c>rope_parameters</c>; before, the window's layers had <c>rope_local_base_freq</c> and no scaling.
    /// </summary>
    internal static (RotaryConfig Full, RotaryConfig Sliding) ReadByKind(
        ConfigReader config, int headDim, int maxPositions, double fullTheta, double slidingTheta)
    {
        slidingTheta = config.Number("rope_local_base_freq", slidingTheta);
        if (config.Json["rope_parameters"] is not JsonObject { Count: > 0 } kinds)
            return (Read(config, headDim, maxPositions, fullTheta), new RotaryConfig(slidingTheta, headDim));
        var reader = new ConfigReader(kinds, $"{config.Path}: rope_parameters");
        var full = OfKind(LayerWindows.Full, config.Number("rope_theta", fullTheta));
        var sliding = OfKind(LayerWindows.Sliding, slidingTheta);
        reader.Finish("a rotary embedding for each kind of layer");
        config.Ignore("rope_parameters");
        if (config.Object("rope_scaling") is { } scaling && !JsonNode.DeepEquals(kinds[LayerWindows.Full], scaling))
            config.Problem("rope_parameters", "and rope_scaling are both given and differ; keep one", 0);
        return (full, sliding);

        RotaryConfig OfKind(string kind, double theta) => Read(
            config, new ConfigReader(reader.Object(kind) ?? [], $"{reader.Path}: {kind}"), headDim, maxPositions, theta);
    }

    private static RotaryConfig Read(ConfigReader config, ConfigReader fields, int headDim, int maxPositions, double theta)
    {
        theta = fields.Number("rope_theta", theta);
        var partial = fields.Number("partial_rotary_factor", config.Number("partial_rotary_factor", 1));
        var width = (int)(headDim * partial);
        if (theta <= 0)
            config.Problem("rope_theta", "must be above 0", 0);
        if (width < 2 || width > headDim || width % 2 != 0)
            config.Problem("partial_rotary_factor",
                $"turns {width} of {headDim} elements of a head; an even number from 2 to {headDim} is expected", 0);
        var result = new RotaryConfig(theta, width) { Scaling = ReadScaling(fields, maxPositions) };
        fields.Finish("a rotary embedding");
        return result;
    }

    private static RotaryScaling ReadScaling(ConfigReader fields, int maxPositions)
    {
        var kind = Kind(fields);
        if (kind == "default")
            return new RotaryScaling.None();
        var factor = kind == "yarn" && fields.Json["factor"] is null ? 0 : fields.Number("factor");
        switch (kind)
        {
            case "linear":
                return new RotaryScaling.Linear(AtLeastOne(fields, factor));
            case "dynamic":
                // transformers takes the model's max_position_embeddings here, whatever original_max_position_embeddings says.
                fields.Ignore("original_max_position_embeddings");
                return new RotaryScaling.Dynamic(AtLeastOne(fields, factor), maxPositions);
            case "llama3":
                var low = fields.Number("low_freq_factor");
                var high = fields.Number("high_freq_factor");
                if (high <= low)
                    fields.Problem("high_freq_factor", $"({high}) must be above low_freq_factor ({low})", 0);
                return new RotaryScaling.Llama3(AtLeastOne(fields, factor), low, high, fields.Integer("original_max_position_embeddings"));
            case "yarn":
                return Yarn(fields, factor, maxPositions);
            default:
                return fields.Problem<RotaryScaling>(
                    "rope_type", $"is \"{kind}\", which is not supported; {string.Join(", ", Kinds)} are.{NearestName.Hint(kind, Kinds)}",
                    new RotaryScaling.None());
        }
    }

    private static RotaryScaling.Yarn Yarn(ConfigReader fields, double factor, int maxPositions)
    {
        var trained = fields.Integer("original_max_position_embeddings", maxPositions);
        if (factor == 0)
            factor = (double)maxPositions / trained;
        factor = AtLeastOne(fields, factor);
        var scale = fields.Number("mscale", 0);
        var scaleAll = fields.Number("mscale_all_dim", 0);
        var attention = fields.Number("attention_factor",
            scale != 0 && scaleAll != 0 ? MagnitudeScale(factor, scale) / MagnitudeScale(factor, scaleAll) : MagnitudeScale(factor, 1));
        return new RotaryScaling.Yarn(
            factor, trained, attention, fields.Number("beta_fast", 32), fields.Number("beta_slow", 1), fields.Flag("truncate", true));
    }

    /// <summary>0.1 ln(s) + 1, the temperature of arXiv:2309.00071 section 3.4.</summary>
    private static double MagnitudeScale(double factor, double weight) => factor <= 1 ? 1 : 0.1 * weight * Math.Log(factor) + 1;

    private static string Kind(ConfigReader fields)
    {
        fields.Ignore("rope_type", "type");
        var node = fields.Json["rope_type"] ?? fields.Json["type"];
        return node is null ? "default" : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString();
    }

    private static double AtLeastOne(ConfigReader fields, double factor) =>
        factor >= 1 ? factor : fields.Problem("factor", $"must be a number of at least 1, got {factor}", 1.0);
}
