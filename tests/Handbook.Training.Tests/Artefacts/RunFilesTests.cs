using System.Text.Json.Nodes;
using Handbook.TestSupport;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Tests.Artefacts;

public sealed class RunFilesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // What transformers 4.54 writes for a run of 3 steps with logging_steps=1 (field order: sort_keys).
    private const string StateText = """
        {
          "best_global_step": null,
          "best_metric": null,
          "best_model_checkpoint": null,
          "epoch": 1.0,
          "eval_steps": 500,
          "global_step": 3,
          "is_hyper_param_search": false,
          "is_local_process_zero": true,
          "is_world_process_zero": true,
          "log_history": [
            {
              "epoch": 0.3333333333333333,
              "grad_norm": 2.5,
              "learning_rate": 2e-05,
              "loss": 4.25,
              "step": 1
            }
          ],
          "logging_steps": 1,
          "max_steps": 3,
          "num_input_tokens_seen": 0,
          "num_train_epochs": 1,
          "save_steps": 0.05,
          "stateful_callbacks": {
            "TrainerControl": {
              "args": {
                "should_epoch_stop": false,
                "should_evaluate": false,
                "should_log": false,
                "should_save": true,
                "should_training_stop": true
              },
              "attributes": {}
            }
          },
          "total_flos": 1.25e+16,
          "train_batch_size": 8,
          "trial_name": null,
          "trial_params": null
        }

        """;

    [Fact]
    public void Save_State_IsTransformersText()
    {
        var state = new TrainerState
        {
            Epoch = 1,
            GlobalStep = 3,
            LoggingSteps = 1,
            MaxSteps = 3,
            NumTrainEpochs = 1,
            SaveSteps = 0.05,
            TotalFlops = 1.25e16,
            TrainBatchSize = 8,
            ShouldTrainingStop = true,
            LogHistory = [MetricsRow.Of(1, 1.0 / 3, ("loss", 4.25), ("grad_norm", 2.5), ("learning_rate", 2e-5))],
        };
        var path = folder.File(TrainerState.FileName);
        state.Save(path);
        Assert.Equal(StateText, File.ReadAllText(path));
        TrainerState.Load(path).Save(folder.File("again.json"));
        Assert.Equal(StateText, File.ReadAllText(folder.File("again.json")));
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("{\"global_step\": \"three\"}")]
    [InlineData("{\"global_step\": 3")]
    public void Load_NotAState_IsOneLine(string text)
    {
        var path = folder.File(TrainerState.FileName);
        File.WriteAllText(path, text);
        var error = Assert.Throws<UserErrorException>(() => TrainerState.Load(path));
        Assert.Contains("expected the state of a training run", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Load_StateWithNaN_ReadsTheRest()
    {
        var path = folder.File(TrainerState.FileName);
        File.WriteAllText(path, """{"global_step": 7, "log_history": [{"loss": NaN, "step": 7}], "total_flos": 0}""");
        var state = TrainerState.Load(path);
        Assert.Equal(7, state.GlobalStep);
        Assert.True(double.IsNaN(Assert.Single(state.LogHistory)["loss"]!.Value));
    }

    [Fact]
    public void Save_ResultsOfTwoSplits_AreGathered()
    {
        ResultFiles.Save(folder.Path, "train", MetricsRow.Of(9, 1, ("train_loss", 0.5), ("train_samples", 128)));
        ResultFiles.Save(folder.Path, "eval", MetricsRow.Of(9, 1, ("eval_loss", 0.25)));
        Assert.Equal("{\n    \"epoch\": 1.0,\n    \"train_loss\": 0.5,\n    \"train_samples\": 128\n}\n",
            File.ReadAllText(folder.File("train_results.json")));
        var all = JsonNode.Parse(File.ReadAllText(folder.File("all_results.json")))!.AsObject();
        Assert.Equal(["epoch", "eval_loss", "train_loss", "train_samples"], all.Select(member => member.Key));
    }

    [Fact]
    public void MetricsLog_Resumed_DropsLaterRowsAndTheBrokenLine()
    {
        using (var log = MetricsLog.Open(folder.Path, resumedStep: 0))
        {
            for (var step = 1; step <= 4; step++)
                log.Write(MetricsRow.Of(step, step / 10.0, ("loss", 1.0 / step)));
        }
        var path = folder.File(MetricsLog.FileName);
        File.AppendAllText(path, "{\"loss\": 0.1");
        using (var log = MetricsLog.Open(folder.Path, resumedStep: 2))
            log.Write(MetricsRow.Of(3, 0.3, ("loss", double.NaN)));
        Assert.Equal(
            [MetricsRow.Of(1, 0.1, ("loss", 1)), MetricsRow.Of(2, 0.2, ("loss", 0.5)), MetricsRow.Of(3, 0.3, ("loss", double.NaN))],
            MetricsLog.Read(path));
    }

    [Fact]
    public void MetricsLog_BrokenInside_NamesTheLine()
    {
        var path = folder.File(MetricsLog.FileName);
        File.WriteAllText(path, "{\"loss\": 1, \"step\": 1}\nnot json\n{\"loss\": 1, \"step\": 2}\n");
        Assert.Contains("metrics.jsonl:2: ", Assert.Throws<UserErrorException>(() => MetricsLog.Read(path)).Message,
            StringComparison.Ordinal);
    }
}
