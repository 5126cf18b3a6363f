using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Models.Adapters;
using Handbook.Models.Architectures;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>
/// A decoder with a sequence-classification head, as transformers' <c>LlamaForSequenceClassification</c>: a reward model is one
/// with a single label. The score of a sequence is read at its last token.
/// </summary>
public sealed class SequenceClassifier : IPretrainedModel
{
    private readonly Architecture architecture;
    private readonly ModelFolder? folder;
    private readonly WeightSource source;
    private readonly WeightSlot score;

    private SequenceClassifier(Architecture architecture, ModelConfig config, WeightSource source, ModelFolder? folder)
    {
        this.architecture = architecture;
        this.folder = folder;
        this.source = source;
        Config = config;
        var names = folder?.Names ?? architecture.Names;
        Decoder = new Decoder(source, config, names);
        score = source.Slot(names.Score + ".weight", [config.LabelCount, config.HiddenSize], Initialization.Normal,
            role: WeightRole.Head);
        Slots = [.. Decoder.Slots, score];
        Map = source.Map;
        source.Finish();
        NewWeights = source is CheckpointWeights stored ? [.. stored.NewWeights] : [];
    }

    /// <summary>The configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Everything but the head.</summary>
    public Decoder Decoder { get; }

    /// <inheritdoc/>
    public IReadOnlyList<WeightSlot> Slots { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => [.. Slots.SelectMany(slot => slot.Weight.Parameters)];

    /// <inheritdoc/>
    public Device Device => source.Device;

    /// <inheritdoc/>
    public DType DType => source.DType;

    /// <inheritdoc/>
    public string FileName => SafetensorsFolder.SingleFile;

    /// <inheritdoc/>
    public WeightMap Map { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Adapter> Adapters { get; private set; } = [];

    /// <summary>Weights that the folder lacked and that were made new: the score, when the folder is a language model.</summary>
    public IReadOnlyList<string> NewWeights { get; }

    /// <inheritdoc/>
    public string? LeftBehind => folder?.LeftBehind;

    /// <inheritdoc/>
    public SpecialTokenIds? SpecialTokens { get; set; }

    /// <summary>Element type of the loaded files; null for a new model.</summary>
    public DType? StoredDType => folder?.StoredDType;

    /// <summary>Loads a classifier, or a language model whose head is put aside for a new score.</summary>
    /// <param name="path">Folder with <c>config.json</c> and safetensors weights.</param>
    /// <param name="dtype">Element type to compute in; null takes the stored one.</param>
    /// <param name="seed">Seeds the new score.</param>
    /// <param name="labels">Number of scores; null takes the configuration's.</param>
    /// <param name="device">Where the weights are put.</param>
    /// <param name="quantization">
    /// Codes of few bits that linear layers are put into as they are read; null leaves them as the folder has them.
    /// </param>
    /// <exception cref="UserErrorException">The folder is broken or not supported, or weights do not fit the configuration.</exception>
    public static SequenceClassifier Load(
        string path, DType? dtype = null, ulong seed = 0, int? labels = null, Device device = default,
        QuantizationConfig? quantization = null)
    {
        var folder = new ModelFolder(path);
        SequenceClassifier? model = null;
        try
        {
            var names = folder.Names;
            var config = folder.Config with
            {
                VocabularySize = folder.VocabularySize, LabelCount = labels ?? folder.Config.LabelCount,
                Quantization = folder.Quantization(quantization),
            };
            var type = dtype ?? folder.StoredDType;
            var source = new CheckpointWeights(folder.Weights, names, type, device)
            {
                Quantization = folder.Config.Quantization is null ? config.Quantization : null,
                MayBeLeft = name => name == names.Head + ".weight",
                MayBeNew = name => name == names.Score + ".weight",
                Fresh = new RandomWeights(seed, config.InitializerRange, type, device),
            };
            model = new SequenceClassifier(folder.Architecture, config, source, folder);
            model.Adapters = AdapterChain.Attach(model, folder);
            return model;
        }
        catch
        {
            model?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>A classifier of a configuration, whatever gives its weights.</summary>
    public static SequenceClassifier Build(ModelConfig config, WeightSource source) =>
        new(ArchitectureTable.Rows[config.ModelType], config, source, null);

    /// <summary>Scores of sequences of a packed row.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">Token ids, [tokens].</param>
    /// <param name="layout">Where sequences begin and end, and what they see.</param>
    /// <param name="rows">For each score the token it is read at: a sequence's last.</param>
    /// <param name="options">How to run; null for the defaults.</param>
    /// <returns>[rows, labels], in float32 for narrower weights.</returns>
    public Variable Forward(Tape tape, ReadOnlySpan<int> ids, SequenceLayout layout, ReadOnlySpan<int> rows, ForwardOptions? options = null)
    {
        using var output = Decoder.Forward(tape, ids, layout, options ?? ForwardOptions.Default);
        using var index = Tensor.From<int>(rows, [rows.Length], output.Value.Device);
        using var last = Embedding.Apply(tape, index, output.Hidden);
        // Eight bits would round away what tells two completions apart.
        var wide = last.Value.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        return Linear.Apply(tape, tape.Cast(last, wide), tape.Cast(tape.Read(score.Weight), wide));
    }

    /// <inheritdoc/>
    public void SaveState(string path, DType dtype) => Save(path, dtype);

    /// <inheritdoc/>
    public Tensor? Stored(Parameter parameter, DType dtype)
    {
        if (Slots.FirstOrDefault(slot => slot.Weight == parameter)?.Exact is { } exact)
            return exact(dtype);
        return (source as CheckpointWeights)?.Exact(parameter.Name, parameter.Value.Shape, dtype);
    }

    /// <summary>Writes the model so that transformers loads it with <c>AutoModelForSequenceClassification</c>.</summary>
    /// <param name="path">The folder; made when absent.</param>
    /// <param name="dtype">Element type of the files.</param>
    /// <param name="values">The tensor to write for a weight, such as its master copy; null writes the weights themselves.</param>
    public void Save(string path, DType dtype, Func<Parameter, Tensor>? values = null)
    {
        var source = Config.Source.DeepClone().AsObject();
        source.Remove("num_labels");
        source["id2label"] = Labels((label, number) => (number, JsonValue.Create(label)));
        source["label2id"] = Labels(
            (label, number) => (label, JsonValue.Create(int.Parse(number, System.Globalization.CultureInfo.InvariantCulture))));
        ModelFolder.Save(
            path, Config with { Source = source }, architecture.ClassificationClass, null, SpecialTokens, Slots, Map, dtype, values);
    }

    /// <summary>Frees the weights and closes the files.</summary>
    public void Dispose()
    {
        ModelFolder.Free(Slots);
        foreach (var adapter in Adapters)
            adapter.Dispose();
        Decoder.Dispose();
        folder?.Dispose();
    }

    private JsonObject Labels(Func<string, string, (string Key, JsonNode Value)> pair)
    {
        var labels = new JsonObject();
        for (var i = 0; i < Config.LabelCount; i++)
        {
            var (key, value) = pair($"LABEL_{i}", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            labels[key] = value;
        }
        return labels;
    }
}
