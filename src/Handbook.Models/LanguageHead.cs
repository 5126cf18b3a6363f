using Handbook.Autograd;
using Handbook.Autograd.Kernels;
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
    private readonly WeightSlot weight;
    private readonly WeightSlot? bias;

    /// <summary>A head over weights that stand somewhere.</summary>
    /// <param name="config">Its rules.</param>
    /// <param name="weight">[vocabulary, width]; the embedding's where they are tied.</param>
    /// <param name="bias">[vocabulary], or null.</param>
    public LanguageHead(HeadConfig config, WeightSlot weight, WeightSlot? bias = null)
    {
        (this.config, this.weight, this.bias) = (config, weight, bias);
        foreach (var parameter in weight.Weight.Parameters)
            parameter.IsShared = config.IsTied;
    }

    /// <summary>Takes the weights from a source; a tied head has the embedding's.</summary>
    internal static LanguageHead Create(WeightSource source, ModelConfig model, WeightNames names, TokenEmbedding embedding)
    {
        var weight = model.Head.IsTied
            ? embedding.Table
            : source.Slot(names.Head + ".weight", [model.VocabularySize, model.HiddenSize], Initialization.Normal, role: WeightRole.Head);
        var bias = model.Head.HasBias ? source.Slot(names.Head + ".bias", [model.VocabularySize], Initialization.Zeros) : null;
        return new LanguageHead(model.Head, weight, bias);
    }

    /// <summary>[vocabulary, width]; the embedding's when they are tied.</summary>
    public Weight Weight => weight.Weight;

    /// <summary>[vocabulary], or null.</summary>
    public Weight? Bias => bias?.Weight;

    /// <summary>The weights that are the head's own.</summary>
    internal IEnumerable<WeightSlot> Own => (config.IsTied ? [] : new[] { weight }).Concat(bias is null ? [] : [bias]);

    /// <summary>Log-probabilities of labels: <see cref="LanguageModelHead.TokenLogps"/>.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="rows">For each label the token it is predicted from.</param>
    /// <param name="labels">The labels: token ids.</param>
    /// <param name="sharpness">What the final logits are multiplied with: 1 over the temperature.</param>
    public (Variable Logps, HeadStatistics Statistics) TokenLogps(
        Tape tape, Variable hidden, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels, double sharpness = 1)
    {
        var options = new HeadOptions(sharpness * config.LogitScale, sharpness * config.SoftCap);
        return LanguageModelHead.TokenLogps(tape, hidden, Weight, rows, labels, Bias, options);
    }

    /// <summary>The sum of coefficient * logp: <see cref="LanguageModelHead.Loss"/>.</summary>
    public (Variable Loss, HeadStatistics Statistics) Loss(
        Tape tape, Variable hidden, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients) =>
        LanguageModelHead.Loss(tape, hidden, Weight, rows, labels, coefficients, Bias, new HeadOptions(config.LogitScale, config.SoftCap));

    /// <summary>Logits of a few rows, none of which depends on how many others there are; [rows, vocabulary].</summary>
    /// <param name="hidden">[rows, width].</param>
    public Tensor Logits(Tensor hidden)
    {
        using var scope = new TensorScope();
        using var offset = Bias?.Lease();
        var logits = Weight.Multiply(hidden, offset?.Value, RowProduct.Sum);
        if (config.LogitScale != 1)
            logits = logits.Multiply(config.LogitScale);
        if (config.SoftCap is { } cap)
            logits = Operator.Call("aten::tanh"u8, default, logits.Multiply(1 / cap)).Multiply(cap);
        return scope.Keep(logits);
    }
}
