using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Adapters;

/// <summary>How far a merged model is from the adapters that it was made of.</summary>
/// <param name="Difference">The largest difference of a logit (of a score for a classifier) between the two.</param>
/// <param name="Largest">The largest logit that was compared, by magnitude.</param>
/// <param name="Base">The folder of the model beneath the adapters.</param>
/// <param name="Codes">The codes of few bits that its weights were dequantised from; null for none.</param>
public sealed record MergeDifference(double Difference, double Largest, string Base, string? Codes)
{
    /// <summary>The difference as a share of the largest logit.</summary>
    public double Share => Difference / Math.Max(Largest, double.Epsilon);
}

/// <summary>An adapter and its whole chain written as one model, and the proof that the two are the same.</summary>
public static class AdapterMerge
{
    private const int ProbeLength = 64;

    /// <summary>
    /// Writes the merged model aside, loads it again, compares what it computes with the adapters around their base, and gives it its name
    /// when they are near enough. Sums are made in float32, and of the weights that the last adapter was trained on: where those were in
    /// codes of few bits (QLoRA) the base is put into the same codes and dequantised, since its own numbers were never seen in training.
    /// </summary>
    /// <param name="path">The adapter's folder.</param>
    /// <param name="output">The folder to write; replaced when it is there.</param>
    /// <param name="dtype">Element type of the files.</param>
    /// <param name="bound">Largest difference that is allowed, as a share of the largest logit.</param>
    /// <param name="addTo">Writes what else belongs into the folder.</param>
    /// <exception cref="UserErrorException">The folder holds no adapter, does not fit its base, or the difference is above the
    /// bound.</exception>
    public static MergeDifference Run(string path, string output, DType dtype, double bound, Action<string> addTo)
    {
        if (!AdapterFolder.Is(path))
            throw new UserErrorException($"{path}: holds no {AdapterFolder.ConfigFileName}; the folder of an adapter is expected.");
        var (folder, adapters) = AdapterChain.Of(path);
        var quantization = adapters[^1].Lineage?.Quantization;
        MergeDifference? found = null;
        AtomicFolder.Write(output, aside =>
        {
            using var scope = new TensorScope();
            var (before, codes) = Merge(path, quantization, aside, dtype);
            addTo(aside);
            using var merged = Load(aside);
            var after = Probe(merged);
            found = new MergeDifference(before.MaxAbsDifference(after), before.MaxAbsDifference(before.Multiply(0)), folder, codes);
            if (!(found.Share <= bound))
                throw new UserErrorException(FormattableString.Invariant($"{path}: the merged model differs by {found.Difference:G3} of ")
                    + FormattableString.Invariant($"logits up to {found.Largest:G3}, a share of {found.Share:G2}; {bound:G2} is allowed. ")
                    + "Nothing was written.");
            AtomicFolder.Remove(output);
        });
        return found!;
    }

    /// <summary>Writes the merged model and returns what the adapters around their base compute.</summary>
    private static (Tensor Computed, string? Codes) Merge(string path, QuantizationConfig? quantization, string output, DType dtype)
    {
        using var model = Load(path, quantization);
        var before = Probe(model);
        Adapter.Merge(model, model.Adapters);
        model.Save(output, dtype);
        return (before, model.Config.Quantization?.Format.Name);
    }

    private static IPretrainedModel Load(string path, QuantizationConfig? quantization = null)
    {
        bool hasScore;
        using (var folder = new ModelFolder(path))
            hasScore = folder.HasScore;
        return hasScore ? SequenceClassifier.Load(path, DType.Float32, quantization: quantization)
            : CausalLanguageModel.Load(path, DType.Float32, quantization: quantization);
    }

    /// <summary>What a model says to tokens from all over its vocabulary.</summary>
    private static Tensor Probe(IPretrainedModel model)
    {
        using var tape = new Tape(isRecording: false);
        var length = Math.Min(ProbeLength, model.Config.MaxPositions);
        int[] ids = [.. Enumerable.Range(0, length).Select(i => (int)(i * 7919L % model.Config.VocabularySize))];
        var layout = SequenceLayout.Documents([length]);
        if (model is SequenceClassifier classifier)
            return classifier.Forward(tape, ids, layout, [.. Enumerable.Range(0, length)]).Value;
        var causal = (CausalLanguageModel)model;
        return causal.Head.Logits(causal.Forward(tape, ids, layout).Hidden.Value).To(DType.Float32);
    }
}
