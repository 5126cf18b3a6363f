using Handbook.Training.Checkpoints;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>Where a run goes on from.</summary>
public static class ResumePoint
{
    /// <summary>The checkpoint that the options name, else the newest whole one of the output folder; null for a new run.</summary>
    /// <exception cref="UserErrorException">A checkpoint was asked for and there is none that is whole.</exception>
    public static Checkpoint? Find(CheckpointOptions options, CheckpointStore store, ITrainingProgress progress)
    {
        if (options.ResumeFrom is { } named)
            return CheckpointStore.Open(named);
        if (options.Overwrite)
            return null;
        var search = store.FindNewest();
        foreach (var skipped in search.Skipped)
            progress.Note($"skipped {Path.GetFileName(skipped.Folder)}: {skipped.Reason}");
        if (search.Newest is { } newest)
            return newest;
        if (options.MustResume)
            throw new UserErrorException($"resume_from_checkpoint: {options.OutputDirectory} holds no whole checkpoint.");
        return search.Skipped.Count == 0
            ? null
            : throw new UserErrorException(
                $"{options.OutputDirectory}: none of its {Quantity.Of(search.Skipped.Count, "checkpoint")} is whole. Set "
                + "overwrite_output_dir to true to start anew.");
    }

    /// <summary>Says where a run goes on, once it is known that it does.</summary>
    public static void Announce(Checkpoint checkpoint, ITrainingProgress progress) =>
        progress.Note($"Checkpoint detected, resuming training at {Path.GetFileName(checkpoint.Folder)}");
}
