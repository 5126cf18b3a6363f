using Handbook.Models.Weights;

namespace Handbook.Models.Architectures;

/// <summary>Names of a decoder's weights in a checkpoint, without <c>.weight</c> and <c>.bias</c>;
/// null where an architecture has none.</summary>
public sealed record WeightNames
{
    /// <summary>Prefix of everything but the head; a checkpoint of the bare model may lack it.</summary>
    public string Base { get; init; } = "model.";

    /// <summary>
    /// Other beginnings of names that folders have: each is a list of ours and theirs, which are exchanged together.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<(string Ours, string Theirs)>> OtherPrefixes { get; init; } = [];

    /// <summary>Beginnings of names of tensors that belong to parts which stay behind, such as what reads images.</summary>
    public IReadOnlyList<string> OtherParts { get; init; } = [];

    /// <summary>The embedding.</summary>
    public string Embedding { get; init; } = "model.embed_tokens";

    /// <summary>The learned positions.</summary>
    public string Positions { get; init; } = "";

    /// <summary>A layer's prefix before its number.</summary>
    public string Layers { get; init; } = "model.layers";

    /// <summary>In a layer: the norms around its blocks.</summary>
    public LayerNormNames Norms { get; init; } = new("input_layernorm", "", "post_attention_layernorm", "");

    /// <summary>In a layer: query, key and value projections; a single name where one matrix holds all three, in this order.</summary>
    public IReadOnlyList<string> QueryKeyValue { get; init; } = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];

    /// <summary>In a layer: attention's output projection.</summary>
    public string AttentionOutput { get; init; } = "self_attn.o_proj";

    /// <summary>In a layer: the norms of queries and keys.</summary>
    public (string Query, string Key) QueryKeyNorms { get; init; } = ("self_attn.q_norm", "self_attn.k_norm");

    /// <summary>
    /// In a layer: what widens in the feed-forward block: gate and up projections, one name where one matrix holds both in this order
    /// or where nothing is gated.
    /// </summary>
    public IReadOnlyList<string> FeedForwardInputs { get; init; } = ["mlp.gate_proj", "mlp.up_proj"];

    /// <summary>In a layer: what narrows again.</summary>
    public string FeedForwardOutput { get; init; } = "mlp.down_proj";

    /// <summary>In a layer that routes: the router and the experts; null where no layer does.</summary>
    public ExpertNames? Experts { get; init; }

    /// <summary>In a layer: the logit of each head's sink, a tensor and no module.</summary>
    public string Sinks { get; init; } = "self_attn.sinks";

    /// <summary>The norm after the last layer.</summary>
    public string FinalNorm { get; init; } = "model.norm";

    /// <summary>The language-model head.</summary>
    public string Head { get; init; } = "lm_head";

    /// <summary>The sequence-classification head.</summary>
    public string Score { get; init; } = "score";

    /// <summary>How the linear layers' matrices stand in files.</summary>
    public StoredForm Projections { get; init; } = StoredForm.Same.Instance;

    /// <summary>Ends of names of tensors that old checkpoints hold and that are no weights: constants and masks.</summary>
    public IReadOnlyList<string> Constants { get; init; } = [".rotary_emb.inv_freq"];
}

/// <summary>Names of a mixture of experts in a layer.</summary>
/// <param name="Router">The router.</param>
/// <param name="Inputs">
/// What widens: gate and up, or one name where one matrix holds both. Where each expert is a tensor of its own the <c>*</c> stands for
/// its number.
/// </param>
/// <param name="Output">What narrows.</param>
public sealed record ExpertNames(string Router, IReadOnlyList<string> Inputs, string Output)
{
    /// <summary>Mixtures as transformers 5 holds them: two tensors for all experts, which are parameters and no modules.</summary>
    public static ExpertNames Joined { get; } = new("mlp.gate", ["mlp.experts.gate_up_proj"], "mlp.experts.down_proj")
    {
        WeightEnd = "",
        Form = StoredForm.Same.Instance,
    };

    /// <summary>What a matrix's name ends in.</summary>
    public string WeightEnd { get; init; } = ".weight";

    /// <summary>What a bias's name ends in.</summary>
    public string BiasEnd { get; init; } = "_bias";

    /// <summary>How the matrices stand in files.</summary>
    public StoredForm Form { get; init; } = StoredForm.Stacked.Instance;

    /// <summary>True when the one matrix that holds both has gate and up in turns, row by row.</summary>
    public bool Alternate { get; init; }
}

/// <summary>Names of a layer's norms.</summary>
/// <param name="BeforeAttention">Of the stream, for attention.</param>
/// <param name="AfterAttention">Of what attention made.</param>
/// <param name="BeforeFeedForward">Of the stream, for the feed-forward block.</param>
/// <param name="AfterFeedForward">Of what the feed-forward block made.</param>
public sealed record LayerNormNames(string BeforeAttention, string AfterAttention, string BeforeFeedForward, string AfterFeedForward);
