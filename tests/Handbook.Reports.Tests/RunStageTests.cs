using Handbook.Reports.ModelCards;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Reports.Tests;

public sealed class RunStageTests
{
    private static readonly RunOptions Run = new()
    {
        Task = "sft",
        Model = new ModelOptions { NameOrPath = "mistralai/Mistral-7B-v0.1" },
        Data = new DataOptions { Sources = [new DatasetSource("HuggingFaceH4/ultrachat_200k", null, "train_sft", null, 1)] },
        Optimization = new OptimizationOptions
        {
            LearningRate = 2e-5,
            PerDeviceBatchSize = 4,
            GradientAccumulation = 8,
            Epochs = 1,
            Schedule = new ScheduleOptions { Kind = ScheduleKind.Cosine, WarmupRatio = 0.1 },
        },
        Checkpoints = new CheckpointOptions { OutputDirectory = "data/zephyr-7b-sft-full" },
    };

    private static readonly TrainerState State = new()
    {
        GlobalStep = 100,
        MaxSteps = 100,
        Epoch = 1,
        NumInputTokensSeen = 1_500_000,
        LogHistory =
        [
            MetricsRow.Of(1, 0.01, ("loss", 2.0)),
            MetricsRow.Of(100, 1, ("loss", 1.0)),
            MetricsRow.Of(100, 1, ("eval_loss", 1.1)),
            MetricsRow.Of(100, 1, ("train_runtime", 65)),
        ],
    };

    [Fact]
    public void Hyperparameters_OfARun_AreTransformersList() =>
        Assert.Equal(
            [("learning_rate", "2e-05"), ("train_batch_size", "4"), ("eval_batch_size", "8"), ("seed", "42"),
             ("gradient_accumulation_steps", "8"), ("total_train_batch_size", "32"),
             ("optimizer", "AdamW with betas=(0.9,0.999) and epsilon=1e-08"), ("lr_scheduler_type", "cosine"),
             ("lr_scheduler_warmup_ratio", "0.1"), ("num_epochs", "1.0"), ("mixed_precision_training", "bf16, fp32 master weights")],
            Hyperparameters.Of(Run));

    [Fact]
    public void Report_OfARun_LeadsWithTheLosses()
    {
        var report = RunStage.Report(Run, State, [("parameters", "7.2B")], "handbook");
        Assert.Equal("zephyr-7b-sft-full", report.Title);
        Assert.Equal(
            [new Headline("Training loss", "1.0000", "from 2.0000"), new("Evaluation loss", "1.1000", "first 1.1000"),
                new("Tokens", "1.5M", "1 epochs"), new("Time", "1:05", "training only")],
            report.Headlines);
        Assert.Equal("Loss", Assert.Single(Assert.Single(report.Stages).Blocks).Title);
    }

    [Fact]
    public void ModelCard_OfARun_NamesModelDataAndTask()
    {
        var card = RunModelCard.Of(Run, State, [], []);
        Assert.Equal("zephyr-7b-sft-full", card.ModelName);
        Assert.Contains("- sft\n", card.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("- Loss: 1.1\n", card.ToMarkdown(), StringComparison.Ordinal);
    }
}
