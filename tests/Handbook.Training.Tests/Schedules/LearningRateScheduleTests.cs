using System.Text.Json.Nodes;
using Handbook.TestSupport;
using Handbook.Training.Schedules;

namespace Handbook.Training.Tests.Schedules;

public sealed class LearningRateScheduleTests
{
    [Fact]
    [Trait("Category", "Golden")]
    public void At_EveryGoldenCase_EqualsTransformers()
    {
        foreach (var file in SharedFolders.GoldenFiles("models/optim", "lr_schedules*.json"))
        {
            var cases = JsonNode.Parse(File.ReadAllText(file))!["cases"]!.AsArray();
            Assert.NotEmpty(cases);
            Assert.All(cases, golden => Compare(golden!.AsObject()));
        }
    }

    private static void Compare(JsonObject golden)
    {
        var name = (string)golden["lr_scheduler_type"]!;
        var total = (int)golden["num_training_steps"]!;
        var warmup = TrainingSteps.Warmup(total, (double)golden["warmup_ratio"]!, 0);
        Assert.Equal((int)golden["num_warmup_steps"]!, warmup);
        var schedule = LearningRateSchedule.Create(
            name, golden["lr_scheduler_kwargs"] as JsonObject, (double)golden["base_lr"]!, warmup, total);
        var expected = golden["lr_per_step"]!.AsArray();
        for (var step = 0; step < expected.Count; step++)
            Assert.Equal((double)expected[step]!, schedule.At(step), 1e-12);
        Assert.Equal((double)golden["lr_after_last"]!, schedule.At(expected.Count), 1e-12);
    }

    [Fact]
    public void At_CosineWarmupWithMinLr_StartsAboveZeroAndEndsAtTheFloor()
    {
        // By hand: 2 warm-up steps give 1/2 and 2/2; the 8 that follow end at cos(pi) = -1, the floor of 0.1.
        var schedule = LearningRateSchedule.Create(
            "cosine_warmup_with_min_lr", new JsonObject { ["min_lr_rate"] = 0.1 }, 1.0, 2, 10);
        Assert.Equal(0.5, schedule.At(0), 1e-15);
        Assert.Equal(1.0, schedule.At(1), 1e-15);
        Assert.Equal(0.1, schedule.At(9), 1e-15);
    }

    [Fact]
    public void Create_UnknownName_NamesTheNearest()
    {
        var error = Assert.Throws<UserErrorException>(() => LearningRateSchedule.Create("cosin", null, 1e-4, 0, 10));
        Assert.Contains("lr_scheduler_type: cosin is not a schedule", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Did you mean cosine?", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linear", """{"min_lr": 1}""", "lr_scheduler_kwargs.min_lr: linear does not know it; it takes none.")]
    [InlineData("cosine_with_min_lr", "{}", "lr_scheduler_kwargs.min_lr_rate: cosine_with_min_lr needs it.")]
    [InlineData("cosine_with_min_lr", """{"min_lr_rate": "low"}""", "lr_scheduler_kwargs.min_lr_rate: found \"low\", expected a number.")]
    [InlineData("cosine_with_min_lr", """{"min_lr_rat": 0.1}""", "Did you mean min_lr_rate?")]
    [InlineData("warmup_stable_decay", """{"num_decay_steps": 1.5}""", "expected a whole number.")]
    [InlineData("warmup_stable_decay", """{"num_decay_steps": 2, "decay_type": "sqrt"}""", "expected one of cosine, linear, 1-sqrt.")]
    public void Create_WrongArguments_SaysWhatIsExpected(string name, string arguments, string message)
    {
        var error = Assert.Throws<UserErrorException>(
            () => LearningRateSchedule.Create(name, JsonNode.Parse(arguments)!.AsObject(), 1e-4, 0, 10));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 7, 4)]
    [InlineData(0.05, 1000, 50)]
    [InlineData(0.001, 10, 1)]
    [InlineData(100, 10, 100)]
    public void Resolve_FractionOrSteps_RoundsUp(double value, int total, int expected) =>
        Assert.Equal(expected, new StepInterval("save_steps", value).Resolve(total));

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void StepInterval_NeitherStepsNorFraction_IsRefused(double value)
    {
        var error = Assert.Throws<UserErrorException>(() => new StepInterval("eval_steps", value));
        Assert.StartsWith("eval_steps: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Total_EpochsOrMaxSteps_MaxStepsWins()
    {
        Assert.Equal(3, TrainingSteps.PerEpoch(5, 2));
        Assert.Equal(8, TrainingSteps.Total(3, 2.5, -1));
        Assert.Equal(4, TrainingSteps.Total(3, 2.5, 4));
        Assert.Equal(100, TrainingSteps.Warmup(1000, 0.5, 100));
        Assert.Equal(4, TrainingSteps.Warmup(31, 0.1, 0));
    }
}
