using Handbook.Autograd;
using Handbook.Models;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;

namespace Handbook.Training.Runs;

/// <summary>
/// What a checkpoint folder holds: the model as transformers loads it, or the adapter alone as PEFT does, the tokenizer, the optimizer's
/// exact state, and the state of the run. Random numbers and the position in the data follow from the step and need no file.
/// </summary>
public static class RunCheckpoint
{
    /// <summary>The optimizer's tensors.</summary>
    public const string OptimizerFile = "optimizer.safetensors";

    /// <summary>The objective's tensors; absent when it has none.</summary>
    public const string ObjectiveFile = "objective.safetensors";

    /// <summary>Writes the files of a checkpoint into a folder.</summary>
    /// <exception cref="NonFiniteWeightsException">A weight or a running average is not a finite number; nothing was written.</exception>
    public static void Write(string folder, RunParts run, IOptimizer optimizer, TrainerState state)
    {
        var weights = run.Model.Trained;
        NamedTensor[] kept = [.. optimizer.State().Select(entry => new NamedTensor(entry.Name, entry.Tensor))];
        NamedTensor[] moving = [.. run.Objective.State().Select(entry => new NamedTensor(entry.Name, entry.Tensor))];
        NonFiniteWeightsException.ThrowIfAny(
            Path.GetFileNameWithoutExtension(folder),
            [.. weights.Parameters.Select(parameter => new NamedTensor(parameter.Name, parameter.Value)), .. kept, .. moving]);
        weights.SaveState(folder, weights.Parameters[0].Value.DType);
        run.Tokenizer.Save(folder);
        SafetensorsWriter.Write(Path.Combine(folder, OptimizerFile), kept);
        if (moving.Length > 0)
            SafetensorsWriter.Write(Path.Combine(folder, ObjectiveFile), moving);
        run.Identity.Save(folder);
        state.Save(Path.Combine(folder, TrainerState.FileName));
    }

    /// <summary>Puts a checkpoint's weights and optimizer state in place of the present ones, bit for bit.</summary>
    /// <exception cref="UserErrorException">The checkpoint belongs to another model.</exception>
    public static TrainerState Restore(Checkpoint checkpoint, ISavedWeights model, IOptimizer optimizer, IObjective objective)
    {
        var state = RestoreWeights(checkpoint, model, objective);
        using var scope = new TensorScope();
        using var file = new SafetensorsFile(Path.Combine(checkpoint.Folder, OptimizerFile));
        optimizer.Load(name => file.Header.Tensors.ContainsKey(name) ? file.Get(name) : null);
        return state;
    }

    /// <summary>The same without the optimizer: what an evaluation needs.</summary>
    /// <exception cref="UserErrorException">The checkpoint belongs to another model.</exception>
    public static TrainerState RestoreWeights(Checkpoint checkpoint, ISavedWeights model, IObjective objective)
    {
        using (var weights = new SafetensorsFolder(checkpoint.Folder, model.FileName))
        {
            foreach (var parameter in model.Parameters)
                CopyWeight(weights, model.Map, parameter);
        }
        using var scope = new TensorScope();
        var moving = Path.Combine(checkpoint.Folder, ObjectiveFile);
        using var objectiveFile = File.Exists(moving) ? new SafetensorsFile(moving) : null;
        objective.Load(name => objectiveFile?.Header.Tensors.ContainsKey(name) == true ? objectiveFile.Get(name) : null);
        return TrainerState.Load(Path.Combine(checkpoint.Folder, TrainerState.FileName));
    }

    /// <summary>
    /// Gives the optimizer's master copies the full precision of the checkpoint, of which the model holds a rounded copy: read by the
    /// model's own mapping, so that renamed and grown weights come out alike.
    /// </summary>
    public static void LoadMasters(ISavedWeights model, IOptimizer optimizer)
    {
        foreach (var parameter in model.Parameters)
        {
            var master = optimizer.Weights(parameter);
            if (ReferenceEquals(master, parameter.Value))
                continue;
            using var scope = new TensorScope();
            if (model.Stored(parameter, master.DType) is { } exact)
                master.CopyFrom(exact);
        }
        optimizer.WeightsChanged();
    }

    // By the model's own mapping: a checkpoint holds weights as files do, which may be turned, or one tensor for each expert.
    private static void CopyWeight(SafetensorsFolder weights, WeightMap map, Parameter parameter)
    {
        using var scope = new TensorScope();
        var form = map[parameter.Name];
        var parts = new List<Tensor>();
        foreach (var (name, shape) in form.Entries(parameter.Name, parameter.Value.Shape))
        {
            if (!weights.Contains(name))
                throw new UserErrorException($"{weights.Folder}: the checkpoint has no {name}; it belongs to another model.");
            var saved = weights.Get(name);
            if (!saved.Shape.SequenceEqual(shape) || saved.DType != parameter.Value.DType)
                throw new UserErrorException($"{weights.Folder}: {name} is {saved} in the checkpoint, this run needs "
                    + $"{parameter.Value.DType.Name()}[{string.Join(", ", shape)}].");
            parts.Add(saved);
        }
        parameter.Value.CopyFrom(form.Join(parts));
    }
}
