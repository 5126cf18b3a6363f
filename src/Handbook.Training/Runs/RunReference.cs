using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.ReferenceStore;

namespace Handbook.Training.Runs;

/// <summary>The frozen model that a preference run is held against, for as long as it is needed.</summary>
public sealed class RunReference : IDisposable
{
    private readonly IDisposable? owned;

    private RunReference(IReferenceLogps logps, IDisposable? owned) => (Logps, this.owned) = (logps, owned);

    /// <summary>Its log-probabilities.</summary>
    public IReferenceLogps Logps { get; }

    /// <summary>Looks whether a reference model of its own is there, before anything long begins.</summary>
    /// <exception cref="UserErrorException">It is not.</exception>
    public static void Check(RunOptions options)
    {
        if (options.Preference.ReferenceModel is { } folder && !Directory.Exists(folder))
            throw new UserErrorException($"ref_model: {folder} is not a folder on this machine.");
    }

    /// <summary>Opens what the method and the options ask for.</summary>
    /// <exception cref="UserErrorException">The reference model is missing, broken, or another model than the policy.</exception>
    /// <param name="options">The run.</param>
    /// <param name="method">Its method.</param>
    /// <param name="policy">The model in training.</param>
    /// <param name="data">The prepared data.</param>
    /// <param name="progress">Hears how far a store's computation is.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="stop">Ends a store's computation; what is whole of it stays.</param>
    public static RunReference Open(
        RunOptions options, TrainingMethod method, RunModel policy, TokenStore data, ITrainingProgress progress, TimeProvider clock,
        CancellationToken stop)
    {
        if (!method.NeedsReference || options.Preference.ReferenceFree)
            return new RunReference(new NoReference(), null);
        var name = options.Preference.ReferenceModel ?? options.Model.NameOrPath
            ?? throw new UserErrorException(
                "ref_model: a new model (model_config) has no reference; name a trained one, or set reference_free: true.");
        var adapter = options.Preference.ReferenceModel is null ? policy.Adapter : null;
        if (adapter is not null && options.Preference.SyncReference)
            throw new UserErrorException("sync_ref_model: the reference of an adapter is its base, which does not move; set it to false, "
                + "or name a ref_model.");
        if (options.Preference is { PrecomputeReference: true, SyncReference: false })
        {
            var store = Stored(options, method, name, policy.Model, data, progress, clock, adapter, stop);
            return new RunReference(store, store);
        }
        if (adapter is not null)
            return new RunReference(new UnadaptedReference(Policy(policy.Model), adapter.Switch), null);
        var model = Load(name, options.Model, policy.Model);
        try
        {
            var frozen = Policy(model);
            IReferenceLogps logps = options.Preference.SyncReference
                ? Moving(options.Preference, frozen, model, policy.Model) : new LiveReference(frozen);
            return new RunReference(logps, model);
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

    private static StoredReference Stored(
        RunOptions options, TrainingMethod method, string name, IPretrainedModel policy, TokenStore data, ITrainingProgress progress,
        TimeProvider clock, Adapter? adapter, CancellationToken stop)
    {
        var sets = new[] { data.Train, data.Evaluation }.OfType<TokenSet>().Where(set => set.RowCount > 0).Select(method.Rows).ToList();
        // The mismatched completions of KTO need their log-probabilities too.
        var klBatches = sets.Where(rows => rows.Read(0).KlBatch is not null)
            .Select(rows => rows with { Read = row => rows.Read(row).KlBatch! }).ToList();
        var words = FormattableString.Invariant($"vocabulary {policy.Config.VocabularySize}")
            + (adapter is null ? "" : RunQuantization.Key(options));
        var key = new ReferenceKey(FolderIdentity.Of(name), RunModel.ComputeDType(options.Model), data.ContentHash, words);
        var settings = new ReferenceStoreOptions { Key = key, Sets = [.. sets, .. klBatches] };
        return StoredReference.Open(settings, () => adapter is null
            ? Frozen(Load(name, options.Model, policy)) : new ReferenceModel(Policy(policy), adapter.Switch.Off()), progress, clock, stop);
    }

    private static ReferenceModel Frozen(CausalLanguageModel model) => new(Policy(model), model);

    private static CausalPolicy Policy(IPretrainedModel model) => new((CausalLanguageModel)model, ForwardOptions.Default);

    /// <summary>The frozen model, with the policy's vocabulary: tokens that were added to the one begin alike in the other.</summary>
    private static CausalLanguageModel Load(string name, ModelOptions options, IPretrainedModel policy)
    {
        var model = CausalLanguageModel.Load(name, RunModel.ComputeDType(options), RunDevice.Of(options).Device,
            vocabulary: policy.Config.VocabularySize);
        if (model.Config.VocabularySize == policy.Config.VocabularySize)
            return model;
        var found = model.Config.VocabularySize;
        model.Dispose();
        throw new UserErrorException($"ref_model: {name} has {found} tokens, the policy has {policy.Config.VocabularySize}; "
            + "log-probabilities of different vocabularies cannot be compared.");
    }
}
