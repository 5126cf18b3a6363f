using Handbook.Reports.ModelCards;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.Tests.ModelCards;

public sealed class ModelCardTests
{
    private static readonly ModelCard Card = new()
    {
        ModelName = "zephyr-7b-sft-full",
        BaseModel = "mistralai/Mistral-7B-v0.1",
        License = "apache-2.0",
        Datasets = ["HuggingFaceH4/ultrachat_200k", "/home/someone/private/extra.jsonl"],
        Tags = ["sft"],
        Hyperparameters = [("learning_rate", "2e-05"), ("train_batch_size", "16")],
        LogHistory =
        [
            MetricsRow.Of(100, 0.5, ("loss", 0.912345)),
            MetricsRow.Of(100, 0.5, ("eval_loss", 0.95), ("eval_mean_token_accuracy", 0.71238), ("eval_runtime", 12)),
            MetricsRow.Of(200, 1.0, ("loss", 0.9)),
            MetricsRow.Of(200, 1.0, ("eval_loss", 0.9353), ("eval_mean_token_accuracy", 0.72), ("eval_runtime", 12)),
            MetricsRow.Of(200, 1.0, ("train_loss", 0.91), ("train_runtime", 99)),
        ],
        Versions = [("Handbook", "0.1.0")],
    };

    // Layout, names and rounding follow transformers' modelcard.py (TrainingSummary.to_model_card).
    private const string Model = "[mistralai/Mistral-7B-v0.1](https://huggingface.co/mistralai/Mistral-7B-v0.1)";
    private const string Sets = "the [HuggingFaceH4/ultrachat_200k](https://huggingface.co/HuggingFaceH4/ultrachat_200k)";

    private const string Expected = $"""
        ---
        library_name: transformers
        pipeline_tag: text-generation
        license: apache-2.0
        base_model: mistralai/Mistral-7B-v0.1
        datasets:
        - HuggingFaceH4/ultrachat_200k
        - extra.jsonl
        tags:
        - sft
        - alignment-handbook
        - generated_from_trainer
        model-index:
        - name: zephyr-7b-sft-full
          results: []
        ---

        <!-- Written by handbook from the run itself. -->

        # zephyr-7b-sft-full

        This model is a fine-tuned version of {Model} on {Sets} and the extra.jsonl datasets.
        It achieves the following results on the evaluation set:
        - Loss: 0.9353
        - Mean Token Accuracy: 0.72

        ## Training procedure

        ### Training hyperparameters

        The following hyperparameters were used during training:
        - learning_rate: 2e-05
        - train_batch_size: 16

        ### Training results

        | Training Loss | Epoch | Step | Validation Loss | Mean Token Accuracy |
        |:-------------:|:-----:|:----:|:---------------:|:-------------------:|
        | 0.9123        | 0.5   | 100  | 0.95            | 0.7124              |
        | 0.9           | 1.0   | 200  | 0.9353          | 0.72                |

        ### Framework versions

        - Handbook 0.1.0

        """;

    [Fact]
    public void ToMarkdown_WholeRun_IsTheOriginalsCard() => Assert.Equal(Expected, Card.ToMarkdown());

    [Fact]
    public void ToMarkdown_NoEvaluationNoBase_SaysSo()
    {
        var text = (Card with { BaseModel = null, Datasets = [], LogHistory = [], ModelName = "yes" }).ToMarkdown();
        Assert.Contains("This model was trained from scratch on an unknown dataset.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Training results", text, StringComparison.Ordinal);
        Assert.Contains("- name: \"yes\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_NamesOfFolders_AreNoMarkup()
    {
        var text = (Card with
        {
            ModelName = "a\n# b <img src=x onerror=alert(1)>",
            BaseModel = "/models/[x](http:x)|`y`\u202e",
            Datasets = ["evil/[click](javascript:alert)"],
            Hyperparameters = [("seed", "1\n- injected: 2")],
        }).ToMarkdown();
        Assert.Contains("\n# a\\\\n# b \\<img src=x onerror=alert(1)\\>\n", text, StringComparison.Ordinal);
        Assert.Contains("\\[x\\](http:x)\\|\\`y\\`\\\\u202e", text, StringComparison.Ordinal);
        Assert.DoesNotContain("huggingface.co/evil", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n- injected", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', text);
    }

    [Fact]
    public void ToMarkdown_LocalFolders_ShowNoPathOfTheMachine()
    {
        var text = (Card with { BaseModel = "/home/someone/models/tiny", Datasets = ["/home/someone/data/"] }).ToMarkdown();
        Assert.DoesNotContain("someone", text, StringComparison.Ordinal);
        Assert.Contains("base_model: tiny", text, StringComparison.Ordinal);
    }
}
