using System.Text.RegularExpressions;

namespace Handbook.Conventions.Tests;

/// <summary>
/// A DPO step can be read from the loop to the optimizer's update, and a run from its YAML line, in one sitting. The bounds may only be
/// tightened.
/// </summary>
public partial class WalkTests
{
    private const int MostFiles = 20;
    private const int MostStepLines = 1195;
    private const int MostRunLines = 1971;

    /// <summary>From a step's micro-batches to moved weights, in the order in which they are met.</summary>
    private static readonly string[] Step =
    [
        "src/Handbook.Training/Loop/TrainingLoop.cs",
        "src/Handbook.Training/Loop/BatchSchedule.cs",
        "src/Handbook.Training/Loop/TrainingRows.cs",
        "src/Handbook.Training/Loop/TrainingStep.cs",
        "src/Handbook.Training/Objectives/StepTotals.cs",
        "src/Handbook.Training/Objectives/IObjective.cs",
        "src/Handbook.Training/Objectives/Preference/PreferenceObjective.cs",
        "src/Handbook.Training/Objectives/Preference/PairMeasurement.cs",
        "src/Handbook.Training/Objectives/Preference/CompletionMeasurement.cs",
        "src/Handbook.Training/Objectives/BatchLabels.cs",
        "src/Handbook.Training/Objectives/Preference/IReferenceLogps.cs",
        "src/Handbook.Training/Objectives/IPolicy.cs",
        "src/Handbook.Training/Objectives/CausalPolicy.cs",
        "src/Handbook.Training/Objectives/Preference/PairScores.cs",
        "src/Handbook.Training/Objectives/Preference/PreferenceLossTable.cs",
        "src/Handbook.Training/Objectives/Preference/SmoothedLogistic.cs",
        "src/Handbook.Training/Optimizers/GradientNorm.cs",
        "src/Handbook.Training/Optimizers/Optimizer.cs",
        "src/Handbook.Training/Optimizers/OptimizerSlot.cs",
        "src/Handbook.Training/Optimizers/AdamW.cs",
    ];

    /// <summary>What the walk's files name and a reader may pass by, with the reason.</summary>
    private static readonly Dictionary<string, string[]> Beside = new()
    {
        ["tells of a step, or evaluates and saves, and moves no weight"] =
        [
            "StepReport", "StepOutcome", "DueSteps", "LoopParts", "LoopOutcome", "BestCheckpoint", "Evaluator", "TrainingDivergedException",
            "Readings", "MetricSums", "PairMetrics",
        ],
        ["only where a recipe asks for it: WPO, LD-DPO, other divergences, losses over the whole batch, BCO's mean"] =
            ["PairWeights", "Divergence", "BatchGradient", "StepReference", "StepTensors", "RewardBaseline"],
        ["under fp16 alone"] = ["LossScale"],
        ["declares, or is settled before the first step"] =
            ["LossSettings", "IOptimizer", "IUpdateRule", "OptimizerMemory", "OptimizerSettings"],
    };

    /// <summary>What stands before it: from a line of YAML to the loop.</summary>
    private static readonly string[] BeforeTheLoop =
    [
        "src/Handbook.Recipes/RecipeReader.cs",
        "src/Handbook.Training/Runs/TrainingRun.cs",
        "src/Handbook.Training/Runs/RunParts.cs",
        "src/Handbook.Training/Runs/RunModel.cs",
        "src/Handbook.Training/Runs/RunReference.cs",
    ];

    [Fact]
    public void Step_IsReadInFewFilesAndLines()
    {
        Assert.InRange(Step.Length, 1, MostFiles);
        Assert.InRange(Lines(Step), 1, MostStepLines);
    }

    [Fact]
    public void Run_IsReadInFewLines() => Assert.InRange(Lines([.. BeforeTheLoop, .. Step]), 1, MostRunLines);

    /// <summary>What the walk's files name of loop, objectives and optimizers stands in the walk, or beside it for a reason.</summary>
    [Fact]
    public void Step_LeavesOutOnlyWhatIsSaid()
    {
        var inside = Step.Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet(StringComparer.Ordinal);
        var words = Step.SelectMany(path => Word().Matches(SourceTree.Read(path)).Select(match => match.Value))
            .ToHashSet(StringComparer.Ordinal);
        string[] folders = ["Loop", "Objectives", "Optimizers"];
        var met = folders.SelectMany(folder => SourceTree.CSharp("src/Handbook.Training/" + folder))
            .Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => words.Contains(name) && !inside.Contains(name));
        Assert.Equal(Beside.Values.SelectMany(names => names).Order(StringComparer.Ordinal), met.Order(StringComparer.Ordinal));
    }

    private static int Lines(IEnumerable<string> paths) => paths.Sum(path => SourceTree.Lines(path).Length);

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
