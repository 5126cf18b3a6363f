using System.Globalization;

namespace Handbook.Training.Checkpoints;

/// <summary>A checkpoint folder whose files agree with its manifest.</summary>
/// <param name="Folder">Full path.</param>
/// <param name="Step">Optimizer steps done when it was saved.</param>
public sealed record Checkpoint(string Folder, int Step);

/// <summary>A folder that looked like a checkpoint and is not used.</summary>
/// <param name="Folder">Full path.</param>
/// <param name="Reason">What is wrong with it, naming the file.</param>
public sealed record SkippedCheckpoint(string Folder, string Reason);

/// <summary>The outcome of looking for a checkpoint to resume from.</summary>
/// <param name="Newest">The newest whole one; null when there is none.</param>
/// <param name="Skipped">Newer ones that are not whole, newest first.</param>
public sealed record CheckpointSearch(Checkpoint? Newest, IReadOnlyList<SkippedCheckpoint> Skipped);

/// <summary>
/// The <c>checkpoint-N</c> folders of an output folder. A save is written aside, sealed with a manifest, made durable and renamed,
/// so that a process killed at any moment leaves every earlier checkpoint whole and never a folder that only looks so.
/// </summary>
/// <param name="outputFolder">The run's <c>output_dir</c>.</param>
/// <param name="world">All ranks, of which the first writes and the others wait; null for this one alone.</param>
public sealed class CheckpointStore(string outputFolder, World? world = null)
{
    private readonly World world = world ?? World.Single;

    private const string Prefix = "checkpoint-";
    private const string DeletedSuffix = ".deleted";

    /// <summary>Saves a checkpoint.</summary>
    /// <param name="step">Optimizer steps done.</param>
    /// <param name="write">Writes the checkpoint's files into the folder that it is given.</param>
    /// <exception cref="UserErrorException">The disk is full or the folder cannot be written. Earlier checkpoints stay whole.</exception>
    public Checkpoint Save(int step, Action<string> write)
    {
        var checkpoint = world.IsFirst ? Write(step, write) : new Checkpoint(FolderOf(step), step);
        world.Barrier();
        return checkpoint;
    }

    private Checkpoint Write(int step, Action<string> write)
    {
        var final = FolderOf(step);
        try
        {
            AtomicFolder.Write(final, aside =>
            {
                write(aside);
                CheckpointManifest.Seal(aside, step);
                MakeRoom(final);
            });
            AtomicFolder.Remove(final + DeletedSuffix);
            return new Checkpoint(final, step);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException(SaveFailure(final, error), error);
        }
    }

    /// <summary>Steps for which a checkpoint folder exists, ascending; whether they are whole is not looked at.</summary>
    public IReadOnlyList<int> Steps() => !Directory.Exists(outputFolder) ? [] :
        [.. Directory.EnumerateDirectories(outputFolder, Prefix + "*").Select(StepOf).Where(step => step >= 0).Order()];

    /// <summary>Full path of a step's checkpoint folder.</summary>
    public string FolderOf(int step) =>
        Path.Combine(Path.GetFullPath(outputFolder), Prefix + step.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Finds the newest checkpoint whose every file has the recorded size and hash, after clearing away what killed saves left.
    /// </summary>
    public CheckpointSearch FindNewest()
    {
        ClearLeftovers();
        var skipped = new List<SkippedCheckpoint>();
        foreach (var step in Steps().Reverse())
        {
            var folder = FolderOf(step);
            if (CheckpointManifest.FindFault(folder, step) is not { } fault)
                return new CheckpointSearch(new Checkpoint(folder, step), skipped);
            skipped.Add(new SkippedCheckpoint(folder, fault));
        }
        return new CheckpointSearch(null, skipped);
    }

    /// <summary>Takes the folder that <c>resume_from_checkpoint</c> names.</summary>
    /// <exception cref="UserErrorException">It is no checkpoint, or not whole.</exception>
    public static Checkpoint Open(string folder)
    {
        var full = Path.GetFullPath(folder.TrimEnd('/', Path.DirectorySeparatorChar));
        if (!Directory.Exists(full))
            throw new UserErrorException($"resume_from_checkpoint: {folder} does not exist.");
        var step = StepOf(full);
        if (step < 0)
            throw new UserErrorException($"resume_from_checkpoint: {folder} is not named checkpoint-N.");
        return CheckpointManifest.FindFault(full, step) is { } fault
            ? throw new UserErrorException($"resume_from_checkpoint: {folder} is not whole: {fault}.")
            : new Checkpoint(full, step);
    }

    /// <summary>
    /// Deletes the oldest checkpoints beyond <c>save_total_limit</c>; folders of such a name that were not written here stay. The
    /// best one is kept beside the newest, as transformers does: with a limit of 1 and a best one that is older, two remain.
    /// </summary>
    /// <param name="limit">How many stay; null or less than 1 for all.</param>
    /// <param name="bestStep">Step of the best checkpoint; null when none is tracked.</param>
    public void Rotate(int? limit, int? bestStep)
    {
        var steps = Steps().Where(step => IsOurs(FolderOf(step))).ToList();
        if (limit is not > 0 || steps.Count <= limit)
            return;
        var keep = limit.Value;
        if (bestStep is { } best && steps.Contains(best) && steps[^1] != best)
        {
            keep = Math.Max(2, keep);
            steps.Remove(best);
            steps.Insert(steps.Count - 1, best);
        }
        foreach (var step in steps.Take(Math.Max(0, steps.Count - keep)))
        {
            Retire(FolderOf(step));
            AtomicFolder.Remove(FolderOf(step) + DeletedSuffix);
        }
    }

    /// <summary>
    /// Removes every checkpoint that this program wrote; folders of that name without a manifest are somebody else's and stay.
    /// </summary>
    public void RemoveAll()
    {
        foreach (var folder in Steps().Select(FolderOf).Where(IsOurs))
        {
            Retire(folder);
            AtomicFolder.Remove(folder + DeletedSuffix);
        }
    }

    /// <summary>
    /// Clears away what killed processes left. A folder written aside whose manifest agrees with its files lacks only the rename
    /// and becomes a checkpoint; every other one is removed.
    /// </summary>
    public void ClearLeftovers()
    {
        if (!Directory.Exists(outputFolder))
            return;
        foreach (var folder in Directory.GetDirectories(Path.GetFullPath(outputFolder), Prefix + "*"))
        {
            if (folder.EndsWith(AtomicFile.AsideSuffix, StringComparison.Ordinal) && StepOf(folder[..^AtomicFile.AsideSuffix.Length]) >= 0)
                FinishOrRemove(folder, folder[..^AtomicFile.AsideSuffix.Length]);
            else if (folder.EndsWith(DeletedSuffix, StringComparison.Ordinal) && StepOf(folder[..^DeletedSuffix.Length]) >= 0)
                AtomicFolder.Remove(folder);
        }
    }

    private static void FinishOrRemove(string aside, string final)
    {
        var step = StepOf(final);
        if (step >= 0 && !Directory.Exists(final) && CheckpointManifest.FindFault(aside, step) is null)
        {
            AtomicFolder.Finish(aside, final);
        }
        else
        {
            AtomicFolder.Remove(aside);
        }
    }

    private static bool IsOurs(string folder) => File.Exists(Path.Combine(folder, CheckpointManifest.FileName));

    /// <summary>What is to be replaced goes; a folder of the name that was not written here is moved away and kept.</summary>
    private void MakeRoom(string final)
    {
        if (!Directory.Exists(final) || IsOurs(final))
        {
            Retire(final);
            return;
        }
        var kept = final + ".kept";
        for (var i = 2; Path.Exists(kept); i++)
            kept = string.Create(CultureInfo.InvariantCulture, $"{final}.kept{i}");
        Directory.Move(final, kept);
    }

    // Renamed first: a kill in the middle of the deletion leaves a folder that no one takes for a checkpoint.
    private void Retire(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        AtomicFolder.Remove(folder + DeletedSuffix);
        Directory.Move(folder, folder + DeletedSuffix);
        AtomicFile.FlushFolder(outputFolder);
    }

    private string SaveFailure(string final, Exception error)
    {
        var before = Steps() is [.., var last]
            ? $"{Prefix}{last} before it is untouched."
            : "There is no earlier checkpoint.";
        return $"{final}: the checkpoint could not be saved: {error.Message.Split('\n', 2)[0].TrimEnd('.', '\r', ' ')}. {before}";
    }

    private static int StepOf(string folder)
    {
        var name = Path.GetFileName(folder);
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }
}
