namespace Handbook.Conventions.Tests;

/// <summary>
/// A DPO step can be read from the loop to the optimizer's update, and a run from its YAML line, in one sitting. The bounds may only be
/// tightened; 1,200 and 2,000 lines are wanted.
/// </summary>
public class WalkTests
{
    private const int MostFiles = 17;
    private const int MostStepLines = 1536;
    private const int MostRunLines = 2314;

    /// <summary>From a step's micro-batches to moved weights, in the order in which they are met.</summary>
    private static readonly string[] Step =
    [
        "src/Handbook.Training/Loop/TrainingLoop.cs",
        "src/Handbook.Training/Loop/BatchSchedule.cs",
        "src/Handbook.Training/Loop/TrainingStep.cs",
        "src/Handbook.Training/Objectives/StepTotals.cs",
        "src/Handbook.Training/Objectives/IObjective.cs",
        "src/Handbook.Training/Objectives/Preference/PreferenceObjective.cs",
        "src/Handbook.Training/Objectives/Preference/PairMeasurement.cs",
        "src/Handbook.Training/Objectives/Preference/AnswerMeasurement.cs",
        "src/Handbook.Training/Objectives/Preference/IReferenceLogps.cs",
        "src/Handbook.Training/Objectives/CausalPolicy.cs",
        "src/Handbook.Training/Objectives/Preference/PairScores.cs",
        "src/Handbook.Training/Objectives/Preference/PreferenceLossTable.cs",
        "src/Handbook.Training/Objectives/Preference/PairMetrics.cs",
        "src/Handbook.Training/Objectives/Readings.cs",
        "src/Handbook.Training/Optimizers/GradientNorm.cs",
        "src/Handbook.Training/Optimizers/Optimizer.cs",
        "src/Handbook.Training/Optimizers/AdamW.cs",
    ];

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

    /// <summary>A type that the walk's files use and that decides something in a step stands in the walk.</summary>
    [Fact]
    public void Step_LeavesNoDecisionOut()
    {
        var inside = Step.Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet(StringComparer.Ordinal);
        var text = string.Concat(Step.Select(SourceTree.Read));
        string[] decide = [
            .. SourceTree.CSharp("src/Handbook.Training/Objectives").Concat(SourceTree.CSharp("src/Handbook.Training/Optimizers"))
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(name => name.EndsWith("Objective", StringComparison.Ordinal) || name.EndsWith("Norm", StringComparison.Ordinal))];
        Assert.Empty(decide.Where(name => !inside.Contains(name) && text.Contains("new " + name + "(", StringComparison.Ordinal)));
    }

    private static int Lines(IEnumerable<string> paths) => paths.Sum(path => SourceTree.Lines(path).Length);
}
