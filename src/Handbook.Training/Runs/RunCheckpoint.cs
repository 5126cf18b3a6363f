using Handbook.Autograd;
using Handbook.Models;
using Handbook.Models.Safetensors;
using Handbook.Text.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;

namespace Handbook.Training.Runs;

/// <summary>
/// What a checkpoint folder holds: the model as transformers loads it, the tokenizer, the optimizer's exact state, and the state of
/// the run. Random numbers and the position in the data follow from the step and need no file.
/// </summary>
public static class RunCheckpoint
{
    /// <summary>The optimizer's tensors.</summary>
    public const string OptimizerFile = "optimizer.safetensors";

    /// <summary>The objective's tensors; absent when it has none.</summary>
    public const string ObjectiveFile = "objective.safetensors";

    /// <summary>Writes the files of a checkpoint into a folder.</summary>
    public static void Write(string folder, IPretrainedModel model, Tokenizer tokenizer, IOptimizer optimizer, IObjective objective, TrainerState state)
    {
        model.Save(folder, model.Parameters[0].Value.DType);
        tokenizer.Save(folder);
        SafetensorsWriter.Write(Path.Combine(folder, OptimizerFile), optimizer.State().Select(entry => new NamedTensor(entry.Name, entry.Tensor)));
        NamedTensor[] moving = [.. objective.State().Select(entry => new NamedTensor(entry.Name, entry.Tensor))];
        if (moving.Length > 0)
            SafetensorsWriter.Write(Path.Combine(folder, ObjectiveFile), moving);
        state.Save(Path.Combine(folder, TrainerState.FileName));
    }

    /// <summary>Puts a checkpoint's weights and optimizer state in place of the present ones, bit for bit.</summary>
    /// <exception cref="UserErrorException">The checkpoint belongs to another model.</exception>
    public static TrainerState Restore(Checkpoint checkpoint, IPretrainedModel model, IOptimizer optimizer, IObjective objective)
    {
        using (var weights = new SafetensorsFolder(checkpoint.Folder))
        {
            foreach (var parameter in model.Parameters)
                CopyWeight(weights, parameter);
        }
        using var scope = new TensorScope();
        using var file = new SafetensorsFile(Path.Combine(checkpoint.Folder, OptimizerFile));
        optimizer.Load(name => file.Header.Tensors.ContainsKey(name) ? file.Get(name) : null);
        var moving = Path.Combine(checkpoint.Folder, ObjectiveFile);
        using var objectiveFile = File.Exists(moving) ? new SafetensorsFile(moving) : null;
        objective.Load(name => objectiveFile?.Header.Tensors.ContainsKey(name) == true ? objectiveFile.Get(name) : null);
        return TrainerState.Load(Path.Combine(checkpoint.Folder, TrainerState.FileName));
    }

    /// <summary>
    /// Gives the optimizer's master copies the full precision of a float32 checkpoint, of which the model holds a rounded copy.
    /// </summary>
    public static void LoadMasters(string folder, IPretrainedModel model, IOptimizer optimizer)
    {
        using var scope = new TensorScope();
        using var weights = new SafetensorsFolder(folder);
        foreach (var parameter in model.Parameters)
        {
            if (!ReferenceEquals(optimizer.Weights(parameter), parameter.Value) && weights.Contains(parameter.Name))
                optimizer.Weights(parameter).CopyFrom(weights.Get(parameter.Name));
        }
        optimizer.WeightsChanged();
    }

    private static void CopyWeight(SafetensorsFolder weights, Parameter parameter)
    {
        if (!weights.Contains(parameter.Name))
            throw new UserErrorException($"{weights.Folder}: the checkpoint has no {parameter.Name}; it belongs to another model.");
        using var scope = new TensorScope();
        var saved = weights.Get(parameter.Name);
        if (!saved.Shape.SequenceEqual(parameter.Value.Shape) || saved.DType != parameter.Value.DType)
            throw new UserErrorException($"{weights.Folder}: {parameter.Name} is {saved} in the checkpoint, this run needs {parameter.Value}.");
        parameter.Value.CopyFrom(saved);
    }
}
