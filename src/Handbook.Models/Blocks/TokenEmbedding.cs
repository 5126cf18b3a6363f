using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>The table of token vectors, and of position vectors where a model learned them.</summary>
public sealed class TokenEmbedding
{
    private readonly EmbeddingConfig config;
    private readonly int? padTokenId;
    private readonly WeightSlot? positions;

    /// <summary>Takes the table from a source.</summary>
    public TokenEmbedding(WeightSource source, ModelConfig model, WeightNames names)
    {
        config = model.Embedding;
        padTokenId = model.PadTokenId;
        Table = source.Slot(
            names.Embedding + ".weight", [model.VocabularySize, model.HiddenSize], Initialization.Normal, role: WeightRole.Embedding);
        // PyTorch zeroes the row of padding_idx in a new table.
        if (source is RandomWeights && padTokenId is { } row && row < model.VocabularySize)
        {
            using var table = Table.Weight.Lease();
            using var padding = table.Value.Select(0, row);
            padding.ZeroInPlace();
        }
        positions = config.HasPositions
            ? source.Slot(names.Positions + ".weight", [model.MaxPositions, model.HiddenSize], Initialization.Normal)
            : null;
    }

    /// <summary>Where the table of token vectors stands, [vocabulary, width].</summary>
    public WeightSlot Table { get; }

    /// <summary>The table of token vectors, [vocabulary, width].</summary>
    public Weight Weight => Table.Weight;

    /// <summary>All its weights, in the reference's order.</summary>
    public IEnumerable<WeightSlot> Slots => positions is null ? [Table] : [Table, positions];

    /// <summary>What enters the first layer, [tokens, width], before any dropout.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">Token ids.</param>
    /// <param name="places">Their positions.</param>
    /// <exception cref="UserErrorException">An id or a position that the tables do not have.</exception>
    public Variable Forward(Tape tape, ReadOnlySpan<int> ids, IReadOnlyList<int> places)
    {
        var vectors = Scaled(tape, LookUp(tape, ids));
        if (positions is null)
            return vectors;
        using var owned = vectors;
        using var added = LookUpPositions(tape, positions.Weight, places);
        return Residual.Add(tape, vectors, added);
    }

    // The reference rounds the factor to the vectors' type before it multiplies.
    private Variable Scaled(Tape tape, Variable vectors)
    {
        if (config.Scale == 1)
            return vectors;
        using var owned = vectors;
        using var scope = new TensorScope();
        var factor = Tensor.Full([], config.Scale, vectors.Value.DType).Item();
        return tape.Record(scope.Keep(vectors.Value.Multiply(factor)), [vectors], [],
            (gradient, _) => vectors.Accumulate(gradient.Multiply(factor)));
    }

    private static Variable LookUpPositions(Tape tape, Weight table, IReadOnlyList<int> places)
    {
        var rows = table.Shape[0];
        var wide = new long[places.Count];
        for (var i = 0; i < wide.Length; i++)
        {
            wide[i] = places[i];
            if (wide[i] >= rows)
                throw new UserErrorException(
                    $"A sequence has more than the {rows} positions of this model; shorten max_length to {rows} at most.");
        }
        using var index = Tensor.From<long>(wide, [wide.Length], table.Device);
        return Embedding.Apply(tape, index, table);
    }

    private Variable LookUp(Tape tape, ReadOnlySpan<int> ids)
    {
        var rows = Weight.Shape[0];
        var wide = new long[ids.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            if (ids[i] < 0 || ids[i] >= rows)
                throw new UserErrorException(
                    $"Token id {ids[i]} is outside the model's vocabulary of {rows}. Does the tokenizer belong to this model?");
            wide[i] = ids[i];
        }
        using var index = Tensor.From<long>(wide, [wide.Length], Weight.Device);
        var vectors = Embedding.Apply(tape, index, Weight);
        if (padTokenId is not { } pad || ids.IndexOf(pad) < 0 || !tape.Tracks(vectors))
            return vectors;
        using (vectors)
            return WithoutPadding(tape, vectors, index, pad);
    }

    // PyTorch's padding_idx: the row is read as any other, but gets no gradient from being read.
    private static Variable WithoutPadding(Tape tape, Variable vectors, Tensor ids, int pad)
    {
        using var scope = new TensorScope();
        var kept = Operator.Call("aten::ne"u8, "Tensor"u8, ids, Tensor.From<long>([pad], [], ids.Device));
        var typed = kept.To(vectors.Value.DType).View(-1, 1);
        return tape.Record(scope.Keep(vectors.Value.Alias()), [vectors], [typed], (gradient, saved) =>
            vectors.Accumulate(gradient.Multiply(saved[0])));
    }
}
