using System.Text.Json.Nodes;
using Handbook.Torch;
using static Handbook.Models.Tests.Reference.ReferenceMath;

namespace Handbook.Models.Tests.Reference;

/// <summary>A decoder written a second time, from the reference's modelling code, over the tensors of a folder.</summary>
internal abstract class ReferenceModel(JsonObject config, IReadOnlyDictionary<string, Tensor> weights)
{
    private static readonly Dictionary<string, Func<JsonObject, IReadOnlyDictionary<string, Tensor>, ReferenceModel>> Rows = new()
    {
        ["cohere2"] = (config, weights) => new Cohere2Reference(config, weights),
        ["gpt_oss"] = (config, weights) => new GptOssReference(config, weights),
        ["qwen3_moe"] = (config, weights) => new Qwen3MoeReference(config, weights),
        ["gemma3_text"] = (config, weights) => new Gemma3Reference(config, weights),
    };

    internal static ReferenceModel Of(JsonObject config, IReadOnlyDictionary<string, Tensor> weights) =>
        Rows[config["model_type"]!.GetValue<string>()](config, weights);

    protected int Layers => Integer("num_hidden_layers");

    protected int Width => Integer("hidden_size");

    protected int Heads => Integer("num_attention_heads");

    /// <summary>Logits [tokens, vocabulary] of one sequence.</summary>
    internal Tensor Logits(int[] ids)
    {
        var x = Embed(Weight("model.embed_tokens").IndexSelect(0, Tensor.From(Array.ConvertAll(ids, id => (long)id))));
        for (var i = 0; i < Layers; i++)
            x = Layer(x, i);
        return Head(Dense(FinalNorm(x), weights.GetValueOrDefault("lm_head.weight") ?? Weight("model.embed_tokens")));
    }

    protected virtual Tensor Embed(Tensor vectors) => vectors;

    protected abstract Tensor Layer(Tensor x, int layer);

    protected abstract Tensor FinalNorm(Tensor x);

    protected virtual Tensor Head(Tensor logits) => logits;

    protected Tensor Weight(string name) => weights[name + ".weight"];

    protected Tensor? Optional(string name) => weights.GetValueOrDefault(name);

    protected static Tensor Heads3(Tensor x, int heads) => x.Reshape(x.Size(0), heads, -1);

    protected int Integer(string key) => config[key]!.GetValue<int>();

    protected double Number(string key, double absent) =>
        config[key] is { } node ? double.Parse(node.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture) : absent;

    protected JsonNode? Field(string key) => config[key];

    protected Tensor GatedBlock(Tensor x, string prefix, Func<Tensor, Tensor> activation) =>
        Dense(activation(Dense(x, Weight(prefix + "gate_proj"))).Multiply(Dense(x, Weight(prefix + "up_proj"))),
            Weight(prefix + "down_proj"));
}
