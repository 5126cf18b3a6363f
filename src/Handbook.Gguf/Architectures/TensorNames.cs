using System.Globalization;
using Handbook.Models.Architectures;

namespace Handbook.Gguf.Architectures;

/// <summary>
/// From a weight's name in a Hugging Face folder to its name in GGUF: a role has one name there, whatever the architecture.
/// </summary>
internal sealed class TensorNames
{
    private readonly string layers;
    private readonly Dictionary<string, IReadOnlyList<TensorPlace>> outside = [];
    private readonly Dictionary<string, IReadOnlyList<TensorPlace>> inside = [];

    /// <summary>Names of a row's tensors.</summary>
    /// <param name="row">The architecture in llama.cpp.</param>
    /// <param name="names">What the folder calls its weights.</param>
    public TensorNames(GgufArchitecture row, WeightNames names)
    {
        layers = names.Layers + ".";
        Add(outside, names.Embedding, "token_embd", TensorRole.Embedding);
        Add(outside, names.Positions, "position_embd", TensorRole.Positions);
        Add(outside, names.FinalNorm, "output_norm", TensorRole.Norm);
        Add(outside, names.Head, "output", TensorRole.Head);
        Add(inside, names.Norms.BeforeAttention, "attn_norm", TensorRole.Norm);
        Add(inside, names.Norms.AfterAttention, "post_attention_norm", TensorRole.Norm);
        Add(inside, names.Norms.BeforeFeedForward, row.FeedForwardNorm, TensorRole.Norm);
        Add(inside, names.Norms.AfterFeedForward, "post_ffw_norm", TensorRole.Norm);
        Add(inside, names.QueryKeyNorms.Query, "attn_q_norm", TensorRole.QueryNorm);
        Add(inside, names.QueryKeyNorms.Key, "attn_k_norm", TensorRole.KeyNorm);
        AddAttention(names);
        if (names.Experts is { } experts)
            AddExperts(experts);
        else
            AddFeedForward(names);
    }

    /// <summary>The places of a weight: one, or two where it holds gate and up.</summary>
    /// <param name="weight">Its name in the folder.</param>
    /// <exception cref="InvalidOperationException">No name of the architecture fits.</exception>
    public IReadOnlyList<TensorPlace> this[string weight]
    {
        get
        {
            if (outside.TryGetValue(weight, out var places))
                return places;
            var rest = weight.StartsWith(layers, StringComparison.Ordinal) ? weight[layers.Length..] : "";
            var end = rest.IndexOf('.', StringComparison.Ordinal);
            if (end > 0 && int.TryParse(rest[..end], CultureInfo.InvariantCulture, out var layer)
                && inside.TryGetValue(rest[(end + 1)..], out places))
                return [.. places.Select(place => place with { Name = $"blk.{layer}.{place.Name}", Layer = layer })];
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
        inside.Add(names.Sinks, [new TensorPlace("attn_sinks.weight", TensorRole.Sinks, -1, IsBias: false)]);
    }

    private void AddFeedForward(WeightNames names)
    {
        if (names.FeedForwardInputs is [var gate, _])
            Add(inside, gate, "ffn_gate", TensorRole.Up);
        Add(inside, names.FeedForwardInputs[^1], "ffn_up", TensorRole.Up);
        Add(inside, names.FeedForwardOutput, "ffn_down", TensorRole.Down);
    }

    private void AddExperts(ExpertNames names)
    {
        Add(inside, names.Router, "ffn_gate_inp", TensorRole.Router);
        foreach (var (end, kind) in new[] { (names.WeightEnd, ".weight"), (names.BiasEnd, ".bias") })
        {
            TensorPlace Place(string name, TensorRole role) => new($"ffn_{name}_exps{kind}", role, -1, kind == ".bias");
            var (gate, up) = (Place("gate", TensorRole.Up), Place("up", TensorRole.Up));
            if (names.Inputs is [var both])
                inside.Add(both + end, [gate with { Half = 0 }, up with { Half = 1 }]);
            else
            {
                inside.Add(names.Inputs[0] + end, [gate]);
                inside.Add(names.Inputs[1] + end, [up]);
            }
            inside.Add(names.Output + end, [Place("down", TensorRole.Down)]);
        }
    }

    private static void Add(Dictionary<string, IReadOnlyList<TensorPlace>> rows, string name, string gguf, TensorRole role)
    {
        if (name.Length == 0)
            return;
        foreach (var kind in new[] { ".weight", ".bias" })
            rows.Add(name + kind, [new TensorPlace(gguf + kind, role, -1, kind == ".bias")]);
    }
}
