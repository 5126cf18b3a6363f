using Handbook.Models;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>The frozen model that a preference run is held against, for as long as it is needed.</summary>
public sealed class RunReference : IDisposable
{
    private readonly IDisposable? owned;

    private RunReference(IReferenceLogps logps, IDisposable? owned) => (Logps, this.owned) = (logps, owned);

    /// <summary>Its log-probabilities.</summary>
    public IReferenceLogps Logps { get; }

    /// <summary>Opens what the method and the options ask for.</summary>
    /// <exception cref="UserErrorException">The reference model is missing, broken, or another model than the policy.</exception>
    public static RunReference Open(RunOptions options, TrainingMethod method, RunModel policy, ITrainingProgress progress)
    {
        if (!method.NeedsReference || options.Preference.ReferenceFree)
            return new RunReference(new NoReference(), null);
        var name = options.Preference.ReferenceModel ?? options.Model.NameOrPath
            ?? throw new UserErrorException("ref_model: a new model (model_config) has no reference; name a trained one, or set reference_free: true.");
        var model = CausalLanguageModel.Load(name, RunModel.ComputeDType(options.Model), vocabulary: policy.Model.Config.VocabularySize);
        try
        {
            CheckVocabulary(name, model, policy.Model);
            var frozen = new CausalPolicy(model, ForwardOptions.Default);
            if (!options.Preference.SyncReference)
                return new RunReference(new LiveReference(frozen), model);
            return new RunReference(Moving(options.Preference, frozen, model, policy.Model), model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => owned?.Dispose();

    private static SyncedReference Moving(PreferenceOptions options, IPolicy frozen, CausalLanguageModel model, IPretrainedModel policy)
    {
        var fits = model.Parameters.Count == policy.Parameters.Count
            && model.Parameters.Zip(policy.Parameters).All(pair => pair.First.Value.Shape.SequenceEqual(pair.Second.Value.Shape));
        if (!fits)
            throw new UserErrorException("sync_ref_model: the reference model has other weights than the policy; the two cannot be mixed.");
        foreach (var parameter in model.Parameters)
            parameter.Replace(parameter.Value.Clone());
        return new SyncedReference(frozen, model.Parameters, policy.Parameters, options.ReferenceMixupAlpha, options.ReferenceSyncSteps);
    }

    private static void CheckVocabulary(string name, CausalLanguageModel model, IPretrainedModel policy)
    {
        if (model.Config.VocabularySize != policy.Config.VocabularySize)
            throw new UserErrorException($"ref_model: {name} has {model.Config.VocabularySize} tokens, the policy has {policy.Config.VocabularySize}; log-probabilities of different vocabularies cannot be compared.");
    }
}
