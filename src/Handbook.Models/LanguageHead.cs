using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Models.Generation;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>How hidden states become logits: everybody who wants logits, their log-probabilities or a loss goes through it.</summary>
public sealed class LanguageHead
{
    private readonly HeadConfig config;

    /// <summary>Takes the weights from a source; a tied head has the embedding's.</summary>
    internal LanguageHead(WeightSource source, ModelConfig model, WeightNames names, TokenEmbedding embedding)
    {
        config = model.Head;
        Weight = config.IsTied
            ? embedding.Weight
            : source.Parameter(names.Head + ".weight", [model.VocabularySize, model.HiddenSize], Initialization.Normal);
        Bias = config.HasBias ? source.Parameter(names.Head + ".bias", [model.VocabularySize], Initialization.Zeros) : null;
        Weight.IsShared = config.IsTied;
    }

    /// <summary>[vocabulary, width]; the embedding's when they are tied.</summary>
    public Parameter Weight { get; }

    /// <summary>[vocabulary], or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>Scale and cap of the logits.</summary>
    public HeadOptions Options => new(config.LogitScale, config.SoftCap);

    /// <summary>The weights that are the head's own.</summary>
    internal IEnumerable<Parameter> Own => (config.IsTied ? [] : new[] { Weight }).Concat(Bias is null ? [] : [Bias]);

    /// <summary>Log-probabilities of labels: <see cref="LanguageModelHead.Logps"/>.</summary>
    public (Variable Logps, HeadStatistics Statistics) Logps(Tape tape, Variable hidden, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels) =>
        LanguageModelHead.Logps(tape, hidden, Weight, rows, labels, Bias, Options);

    /// <summary>The sum of coefficient * logp: <see cref="LanguageModelHead.Loss"/>.</summary>
    public (Variable Loss, HeadStatistics Statistics) Loss(
        Tape tape, Variable hidden, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients) =>
        LanguageModelHead.Loss(tape, hidden, Weight, rows, labels, coefficients, Bias, Options);

    /// <summary>Logits of a few rows, none of which depends on how many others there are; [rows, vocabulary].</summary>
    /// <param name="hidden">[rows, width].</param>
    public Tensor Logits(Tensor hidden)
    {
        using var scope = new TensorScope();
        var logits = RowProduct.Apply(hidden, Weight.Value, Bias?.Value);
        if (config.LogitScale != 1)
            logits = logits.Multiply(config.LogitScale);
        if (config.SoftCap is { } cap)
            logits = Operator.Call("aten::tanh"u8, default, logits.Multiply(1 / cap)).Multiply(cap);
        return scope.Keep(logits);
    }
}
