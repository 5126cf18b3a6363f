using System.Globalization;
using Handbook.Models.Architectures;

namespace Handbook.Gguf.Architectures;

/// <summary>
/// From a weight's name in a Hugging Face folder to its name in GGUF: a role has one name there, whatever the architecture.
/// </summary>
internal sealed class TensorNames
{
    private readonly string layers;
    private readonly Dictionary<string, (string Name, TensorRole Role)> outside = [];
    private readonly Dictionary<string, (string Name, TensorRole Role)> inside = [];

    public TensorNames(WeightNames names)
    {
        layers = names.Layers + ".";
        Add(outside, names.Embedding, "token_embd", TensorRole.Embedding);
        Add(outside, names.Positions, "position_embd", TensorRole.Positions);
        Add(outside, names.FinalNorm, "output_norm", TensorRole.Norm);
        Add(outside, names.Head, "output", TensorRole.Head);
        Add(inside, names.Norms.BeforeAttention, "attn_norm", TensorRole.Norm);
        Add(inside, names.Norms.AfterAttention, "post_attention_norm", TensorRole.Norm);
        Add(inside, names.Norms.BeforeFeedForward, "ffn_norm", TensorRole.Norm);
        Add(inside, names.Norms.AfterFeedForward, "post_ffw_norm", TensorRole.Norm);
        Add(inside, names.QueryKeyNorms.Query, "attn_q_norm", TensorRole.QueryNorm);
        Add(inside, names.QueryKeyNorms.Key, "attn_k_norm", TensorRole.KeyNorm);
        AddAttention(names);
        AddFeedForward(names);
    }

    /// <summary>The place of a weight.</summary>
    /// <param name="weight">Its name, with <c>.weight</c> or <c>.bias</c>.</param>
    /// <exception cref="InvalidOperationException">No name of the architecture fits.</exception>
    public TensorPlace this[string weight]
    {
        get
        {
            var dot = weight.LastIndexOf('.');
            var (stem, kind) = (weight[..dot], weight[dot..]);
            if (outside.TryGetValue(stem, out var row))
                return new TensorPlace(row.Name + kind, row.Role, -1, kind == ".bias");
            var rest = stem.StartsWith(layers, StringComparison.Ordinal) ? stem[layers.Length..] : "";
            var end = rest.IndexOf('.', StringComparison.Ordinal);
            if (end > 0 && int.TryParse(rest[..end], CultureInfo.InvariantCulture, out var layer)
                && inside.TryGetValue(rest[(end + 1)..], out row))
                return new TensorPlace($"blk.{layer}.{row.Name}{kind}", row.Role, layer, kind == ".bias");
            throw new InvalidOperationException($"{weight} has no name in GGUF.");
        }
    }

    private void AddAttention(WeightNames names)
    {
        if (names.QueryKeyValue is [var all])
            Add(inside, all, "attn_qkv", TensorRole.QueryKeyValue);
        else
        {
            Add(inside, names.QueryKeyValue[0], "attn_q", TensorRole.Query);
            Add(inside, names.QueryKeyValue[1], "attn_k", TensorRole.Key);
            Add(inside, names.QueryKeyValue[2], "attn_v", TensorRole.Value);
        }
        Add(inside, names.AttentionOutput, "attn_output", TensorRole.AttentionOutput);
    }

    private void AddFeedForward(WeightNames names)
    {
        var end = names.Router.Length > 0 ? "_exps" : "";
        Add(inside, names.Router, "ffn_gate_inp", TensorRole.Router);
        if (names.FeedForwardInputs is [var gate, _])
            Add(inside, gate, "ffn_gate" + end, TensorRole.Up);
        Add(inside, names.FeedForwardInputs[^1], "ffn_up" + end, TensorRole.Up);
        Add(inside, names.FeedForwardOutput, "ffn_down" + end, TensorRole.Down);
    }

    private static void Add(Dictionary<string, (string, TensorRole)> rows, string name, string gguf, TensorRole role)
    {
        if (name.Length > 0)
            rows.Add(name, (gguf, role));
    }
}
