using System.Globalization;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <content>Low-rank pairs of each matrix of each expert, as one pair of a parameter that joins the matrices.</content>
public abstract partial record StoredForm
{
    /// <summary>
    /// A or B of joined experts in files that have a pair for each matrix of each expert: the ranks of the matrices follow one another in
    /// A, and B is block-diagonal, [[B0, 0], [0, B1]], so that the delta is that of each matrix (PEFT 0.19's conversion).
    /// </summary>
    /// <param name="Modules">The matrices' modules in files, in the order of rows; <c>*</c> stands for an expert's number.</param>
    /// <param name="IsDown">True for A, [experts, rank, in]; false for B, [experts, out, rank].</param>
    public sealed record ExpertBlocks(IReadOnlyList<string> Modules, bool IsDown) : StoredForm
    {
        /// <inheritdoc/>
        public override IReadOnlyList<(string Name, long[] Shape)> Entries(string name, ReadOnlySpan<long> shape)
        {
            var end = IsDown ? ".lora_A.weight" : ".lora_B.weight";
            long[] part = [shape[1] / Modules.Count, IsDown ? shape[2] : shape[2] / Modules.Count];
            var experts = (int)shape[0];
            return [.. Modules.SelectMany(module => Enumerable.Range(0, experts).Select(expert =>
                (module.Replace("*", expert.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) + end, part)))];
        }

        /// <inheritdoc/>
        public override Tensor Join(IReadOnlyList<Tensor> stored)
        {
            Tensor[] stacks = [.. stored.Chunk(stored.Count / Modules.Count).Select(Stacked.Instance.Join)];
            if (IsDown)
                return Operator.Call("aten::cat"u8, default, stacks, 1L);
            var (rows, ranks) = (stacks[0].Size(1), stacks[0].Size(2));
            var whole = Tensor.Zeros([stacks[0].Size(0), rows * stacks.Length, ranks * stacks.Length], stacks[0].DType);
            foreach (var (i, stack) in stacks.Index())
                whole.Narrow(1, i * rows, rows).Narrow(2, i * ranks, ranks).CopyFrom(stack);
            return whole;
        }

        /// <inheritdoc/>
        public override IReadOnlyList<Tensor> Split(Tensor weight)
        {
            var (rows, ranks) = (weight.Size(1) / Modules.Count, weight.Size(2) / Modules.Count);
            return [.. Enumerable.Range(0, Modules.Count).SelectMany(i => Stacked.Instance.Split(IsDown
                ? weight.Narrow(1, i * rows, rows) : weight.Narrow(1, i * rows, rows).Narrow(2, i * ranks, ranks)))];
        }
    }
}
