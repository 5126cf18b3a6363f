using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>The table of token vectors.</summary>
public sealed class TokenEmbedding
{
    private readonly int? padTokenId;

    /// <summary>Takes the table from a source.</summary>
    public TokenEmbedding(WeightSource source, ModelConfig model, WeightNames names)
    {
        padTokenId = model.PadTokenId;
        Weight = source.Parameter(names.Embedding + ".weight", [model.VocabularySize, model.HiddenSize], Initialization.Normal);
        // PyTorch zeroes the row of padding_idx in a new table.
        if (source is RandomWeights && padTokenId is { } row && row < model.VocabularySize)
        {
            using var padding = Weight.Value.Select(0, row);
            padding.ZeroInPlace();
        }
    }

    /// <summary>[vocabulary, width].</summary>
    public Parameter Weight { get; }

    /// <summary>Looks tokens up, [tokens, width].</summary>
    /// <exception cref="UserErrorException">An id that the table does not have.</exception>
    public Variable Forward(Tape tape, ReadOnlySpan<int> ids)
    {
        var rows = Weight.Value.Size(0);
        var wide = new long[ids.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            if (ids[i] < 0 || ids[i] >= rows)
                throw new UserErrorException($"Token id {ids[i]} is outside the model's vocabulary of {rows}. Does the tokenizer belong to this model?");
            wide[i] = ids[i];
        }
        using var index = Tensor.From<long>(wide, [wide.Length], Weight.Value.Device);
        var vectors = Embedding.Apply(tape, index, Weight);
        if (padTokenId is not { } pad || ids.IndexOf(pad) < 0 || !tape.Tracks(vectors))
            return vectors;
        using (vectors)
            return WithoutPadding(tape, vectors, ids, pad);
    }

    // PyTorch's padding_idx: the row is read as any other, but gets no gradient from being read.
    private static Variable WithoutPadding(Tape tape, Variable vectors, ReadOnlySpan<int> ids, int pad)
    {
        var kept = new float[ids.Length];
        for (var i = 0; i < kept.Length; i++)
            kept[i] = ids[i] == pad ? 0 : 1;
        using var mask = Tensor.From<float>(kept, [kept.Length, 1], vectors.Value.Device);
        using var typed = mask.To(vectors.Value.DType);
        return tape.Record(vectors.Value.Alias(), [vectors], [typed], (gradient, saved) =>
            vectors.Accumulate(gradient.Multiply(saved[0])));
    }
}
