using Handbook.Data.Store;
using Handbook.Training.Runs;

namespace Handbook.Recipes.Keys;

/// <summary>What recipes may be for, by the names of the commands: the methods that train, and what makes data for them.</summary>
public static class RecipeTasks
{
    /// <summary>Rejection sampling: no training, but the data for one.</summary>
    public const string Sample = "sample";

    /// <summary>Constitutional AI: critiques and revisions as data.</summary>
    public const string Constitution = "constitution";

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> All { get; } = [.. TrainingMethod.All.Select(method => method.Name), Sample, Constitution];
}

/// <summary>A set of tasks, told by what their methods are and never by a method's name.</summary>
/// <param name="Has">Whether a task is in it; the method is null where the task makes data.</param>
public sealed record TaskSet(Func<string, TrainingMethod?, bool> Has)
{
    /// <summary>Training and making data.</summary>
    public static TaskSet Everything { get; } = new((_, _) => true);

    /// <summary>Everything that trains.</summary>
    public static TaskSet Training { get; } = Methods(_ => true);

    /// <summary>What learns from text and conversations.</summary>
    public static TaskSet Language { get; } = Methods(method => method.Data == StoreKind.Sequences);

    /// <summary>What learns from plain text.</summary>
    public static TaskSet PlainText { get; } = Methods(method => method.IsPlainText);

    /// <summary>What learns from conversations.</summary>
    public static TaskSet Conversations { get; } = Methods(method => method.Data == StoreKind.Sequences && !method.IsPlainText);

    /// <summary>Everything that learns from preferences.</summary>
    public static TaskSet Preference { get; } = Methods(method => method.Data != StoreKind.Sequences);

    /// <summary>What moves a policy by preferences.</summary>
    public static TaskSet Alignment { get; } = Methods(method => method.Data != StoreKind.Sequences && !method.IsClassifier);

    /// <summary>What trains a model that scores.</summary>
    public static TaskSet Classifiers { get; } = Methods(method => method.IsClassifier);

    /// <summary>What has a reference.</summary>
    public static TaskSet WithReference { get; } = Methods(method => method.NeedsReference);

    /// <summary>What compares pairs with a reference.</summary>
    public static TaskSet PairsWithReference { get; } = Methods(method => method.NeedsReference && method.Data == StoreKind.Pairs);

    /// <summary>What has a choice of losses.</summary>
    public static TaskSet WithLosses { get; } = Methods(method => method.Losses.Count > 1);

    /// <summary>Everything that makes data with a model.</summary>
    public static TaskSet Generation { get; } = new((_, method) => method is null);

    /// <summary>Rejection sampling.</summary>
    public static TaskSet Sample { get; } = new((task, _) => task == RecipeTasks.Sample);

    /// <summary>Constitutional AI.</summary>
    public static TaskSet Constitution { get; } = new((task, _) => task == RecipeTasks.Constitution);

    /// <summary>Both sets.</summary>
    public static TaskSet operator |(TaskSet one, TaskSet other) => new((task, method) => one.Has(task, method) || other.Has(task, method));

    /// <summary>Whether a task is in the set.</summary>
    public bool Includes(string task) => Has(task, TrainingMethod.Find(task));

    /// <summary>The names in the set.</summary>
    public string Describe() => string.Join(", ", RecipeTasks.All.Where(Includes));

    /// <summary>The tasks of a key whose row names none: the methods that name the key, else everything that trains.</summary>
    internal static TaskSet OfKey(string key) =>
        TrainingMethod.All.Any(method => method.Keys.Contains(key)) ? Methods(method => method.Keys.Contains(key)) : Training;

    internal static TaskSet Only(TrainingMethod only) => Methods(method => method == only);

    private static TaskSet Methods(Func<TrainingMethod, bool> has) => new((_, method) => method is not null && has(method));
}
