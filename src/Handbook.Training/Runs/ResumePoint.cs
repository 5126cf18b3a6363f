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
            return Announce(CheckpointStore.Open(named), progress);
        if (options.Overwrite)
            return null;
        var search = store.FindNewest();
        foreach (var skipped in search.Skipped)
            progress.Note($"skipped {Path.GetFileName(skipped.Folder)}: {skipped.Reason}");
        if (search.Newest is { } newest)
            return Announce(newest, progress);
        if (options.MustResume)
            throw new UserErrorException($"resume_from_checkpoint: {options.OutputDirectory} holds no whole checkpoint.");
        return search.Skipped.Count == 0
            ? null
            : throw new UserErrorException(
                $"{options.OutputDirectory}: none of its {Quantity.Of(search.Skipped.Count, "checkpoint")} is whole. Set overwrite_output_dir to true to start anew.");
    }

    private static Checkpoint Announce(Checkpoint checkpoint, ITrainingProgress progress)
    {
        progress.Note($"Checkpoint detected, resuming training at {Path.GetFileName(checkpoint.Folder)}");
        return checkpoint;
    }
}
