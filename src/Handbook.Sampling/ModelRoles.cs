using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;

namespace Handbook.Sampling;

/// <summary>
/// Looks at the headers of the folders that a run names: a policy completes, a reward model scores, and one in the other's place shows
/// before hours of sampling, with the command that was meant.
/// </summary>
internal static class ModelRoles
{
    /// <summary>Checks that a folder can complete prompts.</summary>
    /// <exception cref="UserErrorException">It cannot.</exception>
    public static void CheckPolicy(string folder)
    {
        using var model = Open(folder, checkpoint => $"--model_name_or_path={checkpoint}");
        if (model.HasScore)
        {
            throw new UserErrorException(
                $"{folder}: is a reward model, which scores answers and gives none. The policy goes into model_name_or_path, this one "
                + $"into reward_funcs: handbook sample --model_name_or_path=POLICY --reward_funcs=reward_model:{folder}");
        }
    }

    /// <summary>Checks that a folder can score.</summary>
    /// <exception cref="UserErrorException">It cannot.</exception>
    public static void CheckRewardModel(string folder)
    {
        using var model = Open(folder, checkpoint => $"--reward_funcs=reward_model:{checkpoint}");
        if (!model.HasScore)
        {
            throw new UserErrorException(
                $"{folder}: is not a reward model: it has no {model.Architecture.Names.Score}.weight. 'handbook reward' trains one. From "
                + $"this folder: handbook reward --model_name_or_path={folder} --dataset_name=PAIRS --output_dir=OUT");
        }
        if (model.Config.LabelCount != 1)
            throw new UserErrorException($"{folder}: is not a reward model: it has {Quantity.Of(model.Config.LabelCount, "label")}, not "
                + "one. 'handbook reward' trains one.");
    }

    private static ModelFolder Open(string folder, Func<string, string> argument)
    {
        if (!Directory.Exists(folder))
            throw new UserErrorException(
                $"{folder}: no such folder; a model folder is expected.{NearestName.Hint(Path.GetFileName(folder), Siblings(folder))}");
        if (AdapterFolder.Is(folder) || File.Exists(Path.Combine(folder, ConfigFile.Name)))
            return new ModelFolder(folder);
        var what = Checkpoint(folder) is { } checkpoint
                ? $"holds no model, but checkpoints: the run was not finished. Finish it, or take the last one: {argument(checkpoint)}"
            : Directory.EnumerateFiles(folder, "*.gguf").Any()
                ? "holds a GGUF file; its original, a folder with config.json and safetensors weights, is expected."
            : $"is no model folder: it has no {ConfigFile.Name}.";
        throw new UserErrorException($"{folder}: {what}");
    }

    private static IEnumerable<string> Siblings(string folder) =>
        Path.GetDirectoryName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)) is { } parent && Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal) : [];

    private static string? Checkpoint(string folder) => Directory.EnumerateDirectories(folder, "checkpoint-*")
        .Where(path => AdapterFolder.Is(path) || File.Exists(Path.Combine(path, ConfigFile.Name))).MaxBy(path => (path.Length, path));
}
