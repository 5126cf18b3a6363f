using System.Text.Json.Nodes;

namespace Handbook.Cli.Tests;

/// <summary>A run that ends with the model that its evaluations liked best.</summary>
public sealed class BestCheckpointTests
{
    /// <summary>The greatest loss counts as the best here, which is the first one.</summary>
    [Fact]
    public void Cpt_LoadBestAtEnd_EndsWithTheBestCheckpointsWeights()
    {
        using var run = new TinyRun();
        var text = run.Run("best", "--dataset_test_split=train", "--eval_strategy=steps", "--eval_steps=4", "--save_steps=4",
            "--max_steps=12", "--metric_for_best_model=loss", "--greater_is_better=true",
            "--load_best_model_at_end=true", "--save_total_limit=1", "--precision=fp32");

        var state = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, "best", "trainer_state.json")))!;
        Assert.Equal(4, (int)state["best_global_step"]!);
        Assert.Contains("the best model is of step 4", text, StringComparison.Ordinal);
        Assert.Equal(run.Hash("best", "checkpoint-4/model.safetensors"), run.Hash("best"));
        Assert.NotEqual(run.Hash("best", "checkpoint-12/model.safetensors"), run.Hash("best"));
    }
}
