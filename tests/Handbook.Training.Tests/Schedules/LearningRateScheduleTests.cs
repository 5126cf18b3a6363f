using System.Text.Json.Nodes;
using Handbook.TestSupport;
using Handbook.Training.Options;
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
        var kind = ScheduleTable.KindOf((string)golden["lr_scheduler_type"]!);
        Assert.NotNull(kind);
        var total = (int)golden["num_training_steps"]!;
        var options = Options(kind.Value, golden["lr_scheduler_kwargs"] as JsonObject ?? []) with
        {
            WarmupRatio = (double)golden["warmup_ratio"]!,
        };
        var schedule = LearningRateSchedule.Create(options, (double)golden["base_lr"]!, total);
        Assert.Equal((int)golden["num_warmup_steps"]!, schedule.WarmupSteps);
        var expected = golden["lr_per_step"]!.AsArray();
        for (var step = 0; step < expected.Count; step++)
            Assert.Equal((double)expected[step]!, schedule.At(step), 1e-12);
        Assert.Equal((double)golden["lr_after_last"]!, schedule.At(expected.Count), 1e-12);
    }

    private static ScheduleOptions Options(ScheduleKind kind, JsonObject arguments) => new()
    {
        Kind = kind,
        MinLearningRate = (double?)arguments["min_lr"],
        MinLearningRateRatio = (double?)(arguments["min_lr_rate"] ?? arguments["min_lr_ratio"]),
        Cycles = (double?)arguments["num_cycles"],
        Power = (double?)arguments["power"],
        EndLearningRate = (double?)arguments["lr_end"],
        StableSteps = (int?)arguments["num_stable_steps"],
        DecaySteps = (int?)arguments["num_decay_steps"],
        WarmupType = (string?)arguments["warmup_type"] ?? "linear",
        DecayType = (string?)arguments["decay_type"] ?? "cosine",
    };

    [Fact]
    public void NameOf_EveryKind_LeadsBackToIt() =>
        Assert.All(Enum.GetValues<ScheduleKind>(), kind => Assert.Equal(kind, ScheduleTable.KindOf(ScheduleTable.NameOf(kind))));

    public static TheoryData<ScheduleOptions, string> Faulty => new()
    {
        { new() { Kind = ScheduleKind.CosineWithMinLr }, "lr_scheduler_kwargs: cosine_with_min_lr needs min_lr_rate or min_lr." },
        { new() { Kind = ScheduleKind.CosineWithMinLr, MinLearningRate = 1, MinLearningRateRatio = 1 },
            "give min_lr or min_lr_rate, not both." },
        { new() { Kind = ScheduleKind.WarmupStableDecay }, "lr_scheduler_kwargs.num_decay_steps: warmup_stable_decay needs it." },
        { new() { Kind = ScheduleKind.WarmupStableDecay, DecaySteps = 2, DecayType = "sqrt" },
            "lr_scheduler_kwargs.decay_type: found sqrt, expected linear, cosine or 1-sqrt." },
        { new() { Kind = ScheduleKind.Polynomial, EndLearningRate = 0.5 },
            "lr_scheduler_kwargs.lr_end: 0.5 must be below learning_rate (0.0001)." },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public void Create_WrongShape_SaysWhatIsExpected(ScheduleOptions options, string message)
    {
        var error = Assert.Throws<UserErrorException>(() => LearningRateSchedule.Create(options, 1e-4, 10));
        Assert.EndsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 7, 4)]
    [InlineData(0.05, 1000, 50)]
    [InlineData(0.001, 10, 1)]
    [InlineData(100, 10, 100)]
    public void Resolve_FractionOrSteps_RoundsUp(double value, int total, int expected) =>
        Assert.Equal(expected, new StepInterval(value).Resolve(total));

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
