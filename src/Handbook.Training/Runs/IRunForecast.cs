using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>
/// What a run will need of the machine. Runs know of no way to tell, and most of them ask nobody: whoever starts one says who knows.
/// </summary>
public interface IRunForecast
{
    /// <summary>Refuses a run whose weights and optimizer alone cannot fit, before anything of it is loaded.</summary>
    /// <param name="options">The run.</param>
    /// <exception cref="UserErrorException">It cannot fit.</exception>
    void Refuse(RunOptions options);

    /// <summary>Facts to be shown before the first step.</summary>
    /// <param name="options">The run.</param>
    /// <param name="parts">What it is made of, loaded already.</param>
    /// <param name="progress">Hears what happens.</param>
    /// <exception cref="UserErrorException">It cannot fit.</exception>
    IReadOnlyList<(string Name, string Value)> Facts(RunOptions options, RunParts parts, ITrainingProgress progress);
}
