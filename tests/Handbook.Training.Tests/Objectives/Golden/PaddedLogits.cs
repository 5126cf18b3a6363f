using System.Text.Json.Nodes;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>Rows 0..P-1 chosen, P..2P-1 rejected, padded on the right, as one packed row of documents without the padding.</summary>
internal sealed class PaddedLogits
{
    private readonly int[][] ids;
    private readonly bool[][] isCompletion;
    private readonly int[] lengths;

    private PaddedLogits(int[][] ids, int[][] attention, Func<int, int, bool> isCompletion)
    {
        lengths = [.. attention.Select(row => row.Count(mark => mark == 1))];
        this.ids = [.. ids.Select((row, i) => row[..lengths[i]])];
        this.isCompletion = [.. lengths.Select((length, i) => Enumerable.Range(0, length).Select(t => isCompletion(i, t)).ToArray())];
    }

    internal static PaddedLogits WithCompletionMask(JsonNode node)
    {
        var mask = Rows(node, "completion_mask");
        return new PaddedLogits(Rows(node, "input_ids"), Rows(node, "attention_mask"), (row, t) => mask[row][t] == 1);
    }

    internal static PaddedLogits WithPromptLengths(JsonNode node)
    {
        int[] prompts = [.. node["prompt_lengths"]!.AsArray().Select(length => (int)length!)];
        return new PaddedLogits(Rows(node, "input_ids"), Rows(node, "attention_mask"), (row, t) => t >= prompts[row]);
    }

    internal int PairCount => ids.Length / 2;

    /// <summary>Completion tokens of each row.</summary>
    internal int CompletionLength(int row) => isCompletion[row].Count(mark => mark);

    /// <summary>All rows in one batch, pair by pair.</summary>
    internal TokenBatch Batch() => TokenBatch.Concatenate([.. Enumerable.Range(0, PairCount).Select(Pair)]);

    /// <summary>A padded array of rows, [rows, time, vocabulary], without its padding in the order of <see cref="Batch"/>.</summary>
    internal double[][] Flatten(JsonNode rows)
    {
        var padded = rows.AsArray();
        return [.. Enumerable.Range(0, PairCount).SelectMany(pair => new[] { pair, pair + PairCount }).SelectMany(row =>
            Enumerable.Range(0, lengths[row])
                .Select(t => padded[row]![t]!.AsArray().Select(value => value!.GetValue<double>()).ToArray()))];
    }

    internal Tensor Tensor(JsonNode rows, DType dtype)
    {
        var flat = Flatten(rows);
        return Torch.Tensor.From([.. flat.SelectMany(row => row)]).View(flat.Length, flat[0].Length).To(dtype);
    }

    private TokenBatch Pair(int pair)
    {
        var (chosen, rejected) = (pair, pair + PairCount);
        return new TokenBatch(
            [.. ids[chosen], .. ids[rejected]], [.. isCompletion[chosen], .. isCompletion[rejected]],
            SequenceLayout.Documents([lengths[chosen], lengths[rejected]]), [pair], [0, 1]);
    }

    private static int[][] Rows(JsonNode node, string key) =>
        [.. node[key]!.AsArray().Select(row => row!.AsArray().Select(value => (int)value!).ToArray())];
}
