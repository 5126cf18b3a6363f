using System.Text.Json.Nodes;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Runs;

/// <summary>
/// A checkpoint holds weights as files do: turned (GPT-2), or one tensor for each expert (Mixtral). A run goes on from it all the same.
/// </summary>
[Collection(nameof(RunCase))]
public sealed class MappedCheckpointTests : IDisposable
{
    private readonly RunCase run = new();

    public void Dispose() => run.Dispose();

    [Theory]
    [InlineData(
        """{"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "resid_pdrop": 0, "embd_pdrop": 0,"""
        + """ "attn_pdrop": 0}""")]
    [InlineData(
        """{"model_type": "mixtral", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,"""
        + """ "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2, "max_position_embeddings": 64}""")]
    public void Execute_StoppedAndStartedAgain_EndsWithTheSameBytes(string config)
    {
        RunOptions Options(string output) => run.Options(output) with
        {
            Model = new ModelOptions { Config = JsonNode.Parse(config)!.AsObject(), Precision = Precision.Float32 },
            Tokenizer = new TokenizerOptions { NameOrPath = run.Chat.Policy },
        };

        RunCase.Run(Options("whole"));
        using (var progress = new StoppingProgress(what => what == "step 3"))
            Assert.True(RunCase.Run(Options("cut"), progress, progress.Token).Stopped);
        RunCase.Run(Options("cut"));

        Assert.Equal(run.Weights("whole"), run.Weights("cut"));
    }
}
