using System.Globalization;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>
/// Whose run an output folder is. It belongs to one: another is refused before it reads a checkpoint or writes over a model.
/// </summary>
/// <param name="options">Where and how a run begins.</param>
/// <param name="store">The folder's checkpoints.</param>
/// <param name="pages">Pages that the run leaves in it.</param>
public sealed class RunFolder(CheckpointOptions options, CheckpointStore store, IReadOnlyList<RunPage> pages)
{
    // Not the results of evaluations, which stand in a folder without a run too.
    private readonly string[] written =
    [
        .. pages.Select(page => page.FileName), TrainerState.FileName, MetricsLog.FileName, CsvLog.FileName,
        ConfigFile.Name, ConfigFile.GenerationName, AdapterFolder.ConfigFileName, Lineage.FileName,
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    ];

    private readonly string folder = options.OutputDirectory;

    /// <summary>Refuses the folder when another run began in it, and the checkpoint to go on from when it is another run's.</summary>
    /// <param name="mine">The run, as far as it is known.</param>
    /// <param name="from">The checkpoint to go on from; null when none, or when it is not known yet.</param>
    /// <exception cref="UserErrorException">It is another run's: what differs, and the two ways on.</exception>
    public void Refuse(RunIdentity mine, Checkpoint? from = null)
    {
        if (!options.Overwrite)
            RefuseFolder(mine);
        if (from is not null && RunIdentity.Load(from.Folder) is { } saved && mine.DifferencesFrom(saved) is { Count: > 0 } differences)
            throw new UserErrorException($"{from.Folder}: is a checkpoint of another run: {string.Join("; ", differences)}. Give it as "
                + $"model_name_or_path to start from its weights. {WaysOn}");
    }

    /// <summary>Refuses a run of fewer steps than it has already: its result would be that of another length.</summary>
    /// <param name="asked">Optimizer steps of the run.</param>
    /// <param name="key">The key that says so.</param>
    /// <param name="from">The checkpoint to go on from; null for a new run.</param>
    /// <exception cref="UserErrorException">The checkpoint has more steps.</exception>
    public static void RefuseFewerSteps(int asked, string key, Checkpoint? from)
    {
        if (from is null || from.Step <= asked)
            return;
        throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
            $"{key}: {from.Folder} has {Quantity.Of(from.Step, "step")} already, {asked} {Quantity.Word(asked, "is", "are")} asked for; "
                + $"expected at least {from.Step}. {WaysOn}"));
    }

    /// <summary>Refuses an evaluation under another recipe than the folder's: its figures would stand beside another run's model.</summary>
    /// <exception cref="UserErrorException">It is another run's.</exception>
    public void RefuseEvaluation(RunIdentity mine)
    {
        if (!options.Overwrite && Owner() is { } owner)
            Refuse(mine, owner);
    }

    /// <summary>
    /// Writes down whose folder it is from now on. One that is begun anew loses the checkpoints that runs of this program left in it:
    /// a later resumption would take the newest of them for its own.
    /// </summary>
    /// <param name="mine">The run.</param>
    /// <param name="isNew">True when it goes on from no checkpoint.</param>
    public void Take(RunIdentity mine, bool isNew)
    {
        Directory.CreateDirectory(folder);
        if (isNew)
            store.RemoveAll();
        mine.Save(folder);
    }

    private static string WaysOn => "Name another output_dir, or begin anew with overwrite_output_dir: true (--overwrite_output_dir).";

    private void RefuseFolder(RunIdentity mine)
    {
        if (Owner() is not { } owner)
        {
            if (HoldsModel())
                throw new UserErrorException(
                    $"output_dir: {folder} holds a model or checkpoints that don't say which run made them. {WaysOn}");
            if (written.FirstOrDefault(name => Path.Exists(Path.Combine(folder, name))) is { } found)
                throw new UserErrorException(
                    $"output_dir: {folder} holds {found}, which no run of handbook wrote and this one would write over. {WaysOn}");
            return;
        }
        Refuse(mine, owner);
    }

    private void Refuse(RunIdentity mine, RunIdentity owner)
    {
        if (mine.DifferencesFrom(owner) is { Count: > 0 } differences)
            throw new AnotherRunException($"output_dir: {folder} holds another run: {string.Join("; ", differences)}. {WaysOn}",
                string.Join("; ", differences));
    }

    private RunIdentity? Owner() =>
        RunIdentity.Load(folder)
            ?? store.Steps().Reverse().Select(step => RunIdentity.Load(store.FolderOf(step))).FirstOrDefault(found => found is not null);

    private bool HoldsModel() => store.Steps().Count > 0
        || (Directory.Exists(folder)
            && new[] { "*.safetensors", "pytorch_model*.bin" }.Any(pattern => Directory.EnumerateFiles(folder, pattern).Any()));
}
