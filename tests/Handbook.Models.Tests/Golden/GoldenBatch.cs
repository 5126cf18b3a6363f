using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

/// <summary>A reference batch as one packed row: padding left out, and where each kept token stood.</summary>
internal sealed class GoldenBatch
{
    private GoldenBatch(int[] ids, int[] labels, SequenceLayout layout, long[] places)
    {
        Ids = ids;
        Layout = layout;
        Places = places;
        var predecessors = layout.Predecessors();
        var counted = Enumerable.Range(0, ids.Length).Where(i => labels[i] >= 0 && predecessors[i] >= 0).ToArray();
        Rows = [.. counted.Select(i => predecessors[i])];
        Labels = [.. counted.Select(i => labels[i])];
    }

    public int[] Ids { get; }

    public SequenceLayout Layout { get; }

    /// <summary>Index of each token in the flattened reference tensors.</summary>
    public long[] Places { get; }

    public int[] Rows { get; }

    public int[] Labels { get; }

    /// <summary>The rows of a padded batch one after the other.</summary>
    public static GoldenBatch Padded(SafetensorsFile inputs)
    {
        using var scope = new TensorScope();
        var shape = inputs.Header.Tensors["input_ids"].Shape;
        var (ids, mask) = (inputs.Get("input_ids").ToArray<long>(), inputs.Get("attention_mask").ToArray<long>());
        var labels = inputs.Header.Tensors.ContainsKey("labels") ? inputs.Get("labels").ToArray<long>() : new long[ids.Length];
        var places = Enumerable.Range(0, ids.Length).Where(i => mask[i] == 1).ToArray();
        var lengths = places.GroupBy(place => place / (int)shape[1]).Select(row => row.Count()).ToArray();
        return Of(places, ids, labels, lengths);
    }

    /// <summary>The packed row as it is.</summary>
    public static GoldenBatch Packed(SafetensorsFile inputs)
    {
        using var scope = new TensorScope();
        var ids = inputs.Get("packed_input_ids").ToArray<long>();
        var lengths = Array.ConvertAll(inputs.Get("packed_segment_lengths").ToArray<long>(), length => (int)length);
        return Of([.. Enumerable.Range(0, ids.Length)], ids, inputs.Get("packed_labels").ToArray<long>(), lengths);
    }

    /// <summary>The rows of a reference tensor [..., width] that belong to this row's tokens.</summary>
    public Tensor Pick(Tensor reference) =>
        reference.Reshape(-1, reference.Size(-1)).IndexSelect(0, Tensor.From(Places));

    private static GoldenBatch Of(int[] places, long[] ids, long[] labels, int[] lengths) => new(
        [.. places.Select(place => (int)ids[place])],
        [.. places.Select(place => (int)labels[place])],
        SequenceLayout.Documents(lengths),
        [.. places.Select(place => (long)place)]);
}
