using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// The mean of every reward seen, by which BCO shifts (Jung et al. 2024, arXiv:2404.04656, eq. 11), as training uses it: the rewards of
/// a step count in the step's own mean, but are taken over only once the step is done, and an evaluation leaves the mean as it is.
/// </summary>
internal sealed class RewardBaseline
{
    private const string StateName = "reward_mean";

    // Mean and count, float64 [2], where the rewards are.
    private Tensor settled = TensorScope.Detach(Tensor.Zeros([2], DType.Float64));
    private Tensor? pending;

    /// <summary>The mean with the rewards of the whole step, a scalar; of those seen before when nothing is trained.</summary>
    /// <param name="rewards">[completions].</param>
    /// <param name="isTraining">Whether the step will be done.</param>
    internal Tensor Including(Tensor rewards, bool isTraining)
    {
        if (settled.Device != rewards.Device)
            Settle(settled.To(rewards.Device));
        Forget();
        if (!isTraining)
            return settled.Select(0, 0).To(rewards.DType);
        using var scope = new TensorScope();
        var (mean, count) = (settled.Select(0, 0), settled.Select(0, 1));
        var total = count.Add(rewards.ElementCount);
        var next = mean.Multiply(count).Add(rewards.To(DType.Float64).Sum()).Divide(total);
        pending = TensorScope.Detach(Operator.Call("aten::stack"u8, default, new[] { next, total }, 0L));
        return scope.Keep(next.To(rewards.DType));
    }

    /// <summary>The step is done: its rewards stay in the mean.</summary>
    internal void Settle()
    {
        if (pending is not { } next)
            return;
        pending = null;
        Settle(next);
    }

    /// <summary>What a step that failed has left is forgotten.</summary>
    internal void Forget()
    {
        pending?.Dispose();
        pending = null;
    }

    internal IEnumerable<(string Name, Tensor Tensor)> State() => [(StateName, settled)];

    internal void Load(Func<string, Tensor?> find) => settled.CopyFrom(
        find(StateName)
            ?? throw new UserErrorException(
                $"{StateName}: the checkpoint's objective has no mean of rewards; it belongs to a run with another loss."));

    private void Settle(Tensor next)
    {
        settled.Dispose();
        settled = TensorScope.Detach(next);
    }
}
