using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Reports.ModelCards;

/// <summary>Makes the model card of a finished run.</summary>
public static class RunModelCard
{
    /// <summary>The card with everything that the run knows about itself.</summary>
    /// <param name="options">What the run was told.</param>
    /// <param name="state">Its state at the end.</param>
    /// <param name="dataFacts">Facts about the data, such as examples, rows and label tokens.</param>
    /// <param name="versions">What trained it.</param>
    public static ModelCard Of(
        RunOptions options, TrainerState state, IReadOnlyList<(string Name, string Value)> dataFacts,
        IReadOnlyList<(string Name, string Version)> versions) => new()
        {
            ModelName = options.Hub.ModelId?.Split('/')[^1] ?? FolderName(options.Checkpoints.OutputDirectory),
            BaseModel = options.Model.NameOrPath,
            Datasets = [.. options.Data.Sources.Select(source => source.Name).Distinct(StringComparer.Ordinal)],
            PipelineTag = TrainingMethod.Of(options.Task).PipelineTag,
            IsAdapter = options.Lora is not null,
            Tags = options.Lora is null ? [options.Task] : [options.Task, "lora"],
            Hyperparameters = Hyperparameters.Of(options),
            DataFacts = dataFacts,
            LogHistory = state.LogHistory,
            Versions = versions,
        };

    private static string FolderName(string folder) => Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar));
}
