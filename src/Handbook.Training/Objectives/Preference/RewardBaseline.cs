using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// The running mean of rewards as training uses it: the rewards of a step count in the step's own mean, but are taken over only
/// once the step is done, and an evaluation leaves the mean as it is.
/// </summary>
internal sealed class RewardBaseline
{
    private const string StateName = "reward_mean";
    private readonly RunningMean settled = new();
    private readonly List<double> pending = [];
    private bool isTraining;

    /// <summary>The mean of the rewards of all steps done.</summary>
    internal double Settled => settled.Value;

    /// <summary>Begins a step or an evaluation batch; what a step that failed has left is forgotten.</summary>
    internal void Begin(bool training)
    {
        pending.Clear();
        isTraining = training;
    }

    /// <summary>The mean with the rewards of the whole step.</summary>
    internal double Including(double[] rewards)
    {
        if (!isTraining)
            return settled.Value;
        pending.AddRange(rewards);
        return settled.With(rewards);
    }

    /// <summary>The step is done: its rewards stay in the mean.</summary>
    internal void Settle()
    {
        settled.Add([.. pending]);
        pending.Clear();
    }

    internal IEnumerable<(string Name, Tensor Tensor)> State() => [(StateName, settled.Save())];

    internal void Load(Func<string, Tensor?> find)
    {
        settled.Load(find(StateName) ?? throw new UserErrorException($"{StateName}: the checkpoint's objective has no mean of rewards; it belongs to a run with another loss."));
    }
}
