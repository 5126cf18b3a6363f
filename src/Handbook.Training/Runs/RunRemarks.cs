using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>What a run's user may not expect of the model and its adapter, said once.</summary>
internal static class RunRemarks
{
    /// <summary>Says it.</summary>
    internal static void Tell(IPretrainedModel model, Adapter? adapter, ITrainingProgress progress)
    {
        if (model.LeftBehind is { } leftBehind)
            progress.Note(leftBehind);
        if (adapter?.Unreached is [var first, ..])
            progress.Note($"all-linear does not reach the experts, which are parameters here and no modules ({first}); name them in "
                + "lora_target_parameters to adapt them");
    }
}
