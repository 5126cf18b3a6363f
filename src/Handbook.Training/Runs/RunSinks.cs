using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.TensorBoard;

namespace Handbook.Training.Runs;

/// <summary>Opens the sinks that <c>report_to</c> names.</summary>
public static class RunSinks
{
    /// <summary>Names that recipes may give.</summary>
    public static IReadOnlyList<string> Names { get; } = ["tensorboard", "jsonl", "csv"];

    /// <summary>
    /// Opens one sink a name, in order. A run that goes on from a step keeps what was written up to it and drops the rest.
    /// </summary>
    /// <param name="options">What is told, and to whom.</param>
    /// <param name="outputFolder">The run's output folder; it must exist.</param>
    /// <param name="resumedStep">Optimizer steps already done; 0 for a new run.</param>
    /// <param name="clock">Gives the time of folders and points.</param>
    /// <param name="tell">Hears once of a sink that cannot be written; the run goes on.</param>
    /// <returns>Where rows go, and what must be disposed of at the end.</returns>
    /// <exception cref="UserErrorException">There is no such sink.</exception>
    public static (IReadOnlyList<Action<MetricsRow>> Sinks, IReadOnlyList<IDisposable> Owned) Open(
        LoggingOptions options, string outputFolder, int resumedStep, TimeProvider clock, Action<string> tell)
    {
        foreach (var name in options.ReportTo)
        {
            if (!Names.Contains(name, StringComparer.Ordinal))
                throw new UserErrorException(
                    $"report_to: {name} is not written here; there are {string.Join(", ", Names)}.{NearestName.Hint(name, Names)}");
        }
        var (sinks, owned) = (new List<Action<MetricsRow>>(), new List<IDisposable>());
        foreach (var name in options.ReportTo.Distinct(StringComparer.Ordinal))
        {
            switch (name)
            {
                case "tensorboard":
                    Add(name, EventFile.Open(options.LoggingDirectory ?? Path.Combine(outputFolder, "runs"), resumedStep, clock),
                        file => file.Write);
                    break;
                case "jsonl":
                    Add(name, MetricsLog.Open(outputFolder, resumedStep), log => log.Write);
                    break;
                default:
                    Add(name, CsvLog.Open(outputFolder, resumedStep), log => log.Write);
                    break;
            }
        }
        return (sinks, owned);

        void Add<T>(string name, T sink, Func<T, Action<MetricsRow>> write) where T : IDisposable
        {
            sinks.Add(new ToleratedSink(name, write(sink), tell).Write);
            owned.Add(sink);
        }
    }
}
