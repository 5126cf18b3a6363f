using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <content>Low-rank pairs of experts that are one parameter.</content>
public abstract partial record StoredForm
{
    /// <summary>
    /// A or B of all experts as PEFT's <c>target_parameters</c> has them, each one matrix: the rows of A go through the ranks of one
    /// expert after the other, [experts · rank, in], the columns of B through the experts of one rank after the other,
    /// [out, rank · experts].
    /// </summary>
    /// <param name="Count">How many experts there are.</param>
    /// <param name="IsDown">True for A, [experts, rank, in]; false for B, [experts, out, rank].</param>
    /// <param name="IsTurned">True where A is on the side of the outputs and B on that of the inputs, as PEFT had it before 0.19.1 for
    /// parameters [experts, out, in]: each stands transposed under the other's name.</param>
    public sealed record ExpertPair(long Count, bool IsDown, bool IsTurned = false) : StoredForm
    {
        private const string Down = ".lora_A.", Up = ".lora_B.";

        // What stands under A's name.
        private bool IsByRows => IsDown != IsTurned;

        /// <inheritdoc/>
        public override IReadOnlyList<(string Name, long[] Shape)> Entries(string name, ReadOnlySpan<long> shape)
        {
            var (rows, columns) = IsTurned ? (shape[2], shape[1]) : (shape[1], shape[2]);
            return [(IsTurned ? Other(name) : name, IsByRows ? [Count * rows, columns] : [rows, columns * Count])];
        }

        /// <inheritdoc/>
        public override Tensor Join(IReadOnlyList<Tensor> stored)
        {
            var matrix = stored[0].Contiguous();
            var stack = IsByRows
                ? matrix.View(Count, -1, matrix.Size(1))
                : matrix.View(matrix.Size(0), -1, Count).Transpose(1, 2).Transpose(0, 1);
            return (IsTurned ? stack.Transpose(1, 2) : stack).Contiguous();
        }

        /// <inheritdoc/>
        public override IReadOnlyList<Tensor> Split(Tensor weight)
        {
            var stack = IsTurned ? weight.Transpose(1, 2) : weight;
            return [IsByRows
                ? stack.Reshape(-1, stack.Size(2))
                : stack.Transpose(0, 1).Transpose(1, 2).Reshape(stack.Size(1), -1)];
        }

        private string Other(string name) =>
            IsDown ? name.Replace(Down, Up, StringComparison.Ordinal) : name.Replace(Up, Down, StringComparison.Ordinal);
    }
}
