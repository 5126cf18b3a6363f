using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Adapters;
using Handbook.Models.Architectures;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Models.Generation;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>
/// A decoder with a language-model head. It computes in the element type its weights are loaded in; whoever keeps master copies
/// gets what rounding took from <see cref="Stored"/>.
/// </summary>
public sealed class CausalLanguageModel : IPretrainedModel
{
    private readonly Architecture architecture;
    private readonly ModelFolder? folder;
    private readonly WeightSource source;

    private CausalLanguageModel(Architecture architecture, ModelConfig config, WeightSource source, ModelFolder? folder)
    {
        this.architecture = architecture;
        this.folder = folder;
        this.source = source;
        Config = config;
        var names = folder?.Names ?? architecture.Names;
        Decoder = new Decoder(source, config, names);
        Head = LanguageHead.Create(source, config, names, Decoder.Embedding);
        Slots = [.. Decoder.Slots, .. Head.Own];
        Map = source.Map;
        source.Finish();
    }

    /// <summary>The configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Everything but the head.</summary>
    public Decoder Decoder { get; }

    /// <summary>How hidden states become logits.</summary>
    public LanguageHead Head { get; }

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

    /// <inheritdoc/>
    public string? LeftBehind => folder?.LeftBehind;

    /// <inheritdoc/>
    public long ParameterCount => IPretrainedModel.Count(Slots);

    /// <inheritdoc/>
    public SpecialTokenIds? SpecialTokens { get; set; }

    /// <summary>Element type of the loaded files; null for a new model.</summary>
    public DType? StoredDType => folder?.StoredDType;

    /// <summary>Content of <c>generation_config.json</c>; null when there is none.</summary>
    public JsonObject? GenerationConfig => folder?.GenerationConfig;

    /// <summary>
    /// Tokens that end a text: those of <c>generation_config.json</c>, which transformers goes by, else the configuration's.
    /// </summary>
    /// <exception cref="UserErrorException">The file has none but a value of another type.</exception>
    public IReadOnlyList<int> StopTokenIds =>
        GenerationDefaults.Of(GenerationConfig, ConfigFile.GenerationName).EosTokenIds is { Count: > 0 } ids ? ids : Config.EosTokenIds;

    /// <summary>Loads a model folder.</summary>
    /// <param name="path">Folder with <c>config.json</c> and safetensors weights.</param>
    /// <param name="dtype">Element type to compute in; null takes the stored one.</param>
    /// <param name="device">Where the weights are put.</param>
    /// <param name="vocabulary">
    /// Rows of the embedding and the head when tokens were added; new ones begin as the mean of the others. Null, or fewer than
    /// the checkpoint has, leaves them.
    /// </param>
    /// <param name="quantization">
    /// Codes of few bits that linear layers are put into as they are read; null leaves them as the folder has them.
    /// </param>
    /// <exception cref="UserErrorException">The folder is broken or not supported, or weights do not fit the configuration.</exception>
    public static CausalLanguageModel Load(
        string path, DType? dtype = null, Device device = default, int? vocabulary = null, QuantizationConfig? quantization = null)
    {
        var folder = new ModelFolder(path);
        CausalLanguageModel? model = null;
        try
        {
            var names = folder.Names;
            var tied = folder.Config.Head.IsTied;
            if (tied)
                CheckTied(folder, names);
            var config = folder.Config with
            {
                VocabularySize = Math.Max(vocabulary ?? 0, folder.VocabularySize), Quantization = folder.Quantization(quantization),
            };
            var source = new CheckpointWeights(folder.Weights, names, dtype ?? folder.StoredDType, device)
            {
                Quantization = folder.Config.Quantization is null ? config.Quantization : null,
                MayBeLeft = name => tied && name == names.Head + ".weight",
                MayGrow = name => config.VocabularySize > folder.Config.VocabularySize
                    && (name == names.Embedding + ".weight" || name == names.Head + ".weight"),
            };
            model = new CausalLanguageModel(folder.Architecture, config, source, folder);
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

    /// <summary>A new model with random weights.</summary>
    /// <param name="config">The content of a <c>config.json</c>.</param>
    /// <param name="seed">Another seed gives other weights.</param>
    /// <param name="dtype">Element type to compute in.</param>
    /// <param name="device">Where the weights are put.</param>
    /// <param name="origin">Where the configuration stands, for messages.</param>
    /// <param name="quantization">Codes of few bits that linear layers are put into; null leaves them as they are.</param>
    /// <exception cref="UserErrorException">The configuration is wrong or not supported.</exception>
    public static CausalLanguageModel Create(JsonObject config, ulong seed, DType dtype, Device device = default,
        string origin = ConfigFile.Name, QuantizationConfig? quantization = null)
    {
        var architecture = ArchitectureTable.Find(config, origin);
        var read = architecture.ReadConfig(config, origin);
        if (quantization is not null)
            read = read with { Quantization = quantization };
        NewModelSize.Check(read, dtype, origin);
        var source = new RandomWeights(seed, read.InitializerRange, dtype, device)
        {
            Quantization = quantization is null ? null : (quantization, architecture.Names),
        };
        return new CausalLanguageModel(architecture, read, source, null);
    }

    /// <summary>A model of a configuration, whatever gives its weights.</summary>
    public static CausalLanguageModel Build(ModelConfig config, WeightSource source) =>
        new(ArchitectureTable.Rows[config.ModelType], config, source, null);

    /// <summary>Runs over a packed row.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">Token ids, [tokens].</param>
    /// <param name="layout">Where sequences begin and end, and what they see.</param>
    /// <param name="options">How to run; null for the defaults.</param>
    /// <returns>Hidden states after the final norm, [tokens, width], which <see cref="Head"/> takes on, and what routers chose
    /// by.</returns>
    public DecoderOutput Forward(Tape tape, ReadOnlySpan<int> ids, SequenceLayout layout, ForwardOptions? options = null) =>
        Decoder.Forward(tape, ids, layout, options ?? ForwardOptions.Default);

    /// <inheritdoc/>
    public void SaveState(string path, DType dtype) => Save(path, dtype);

    /// <inheritdoc/>
    public Tensor? Stored(Parameter parameter, DType dtype)
    {
        if (Slots.FirstOrDefault(slot => slot.Weight == parameter)?.Exact is { } exact)
            return exact(dtype);
        return (source as CheckpointWeights)?.Exact(parameter.Name, parameter.Value.Shape, dtype);
    }

    /// <summary>
    /// Writes <c>model.safetensors</c> (or several files and an index), <c>config.json</c> and <c>generation_config.json</c>.
    /// </summary>
    /// <param name="path">The folder; made when absent.</param>
    /// <param name="dtype">Element type of the files.</param>
    /// <param name="values">The tensor to write for a weight, such as its master copy; null writes the weights themselves.</param>
    public void Save(string path, DType dtype, Func<Parameter, Tensor>? values = null) =>
        ModelFolder.Save(path, Config, architecture.CausalClass, GenerationConfig, SpecialTokens, Slots, Map, dtype, values);

    /// <summary>Frees the weights and closes the files.</summary>
    public void Dispose()
    {
        ModelFolder.Free(Slots);
        foreach (var adapter in Adapters)
            adapter.Dispose();
        Decoder.Dispose();
        folder?.Dispose();
    }

    // A file may hold the tied head too, as long as it is the same.
    private static void CheckTied(ModelFolder folder, WeightNames names)
    {
        var stored = new StoredNames(names, folder.Weights.Names);
        var (head, embedding) = (stored[names.Head + ".weight"], stored[names.Embedding + ".weight"]);
        if (!folder.Weights.Contains(head) || !folder.Weights.Contains(embedding))
            return;
        using var scope = new TensorScope();
        var (first, second) = (folder.Weights.Get(head), folder.Weights.Get(embedding));
        if (!first.Shape.SequenceEqual(second.Shape) || first.MaxAbsDifference(second) != 0)
            throw new UserErrorException($"{folder.Path}: tie_word_embeddings is true, but {head} is not {embedding}. Set it to false in "
                + "config.json if the head is its own.");
    }
}
