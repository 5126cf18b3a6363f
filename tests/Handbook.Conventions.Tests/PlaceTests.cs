using Handbook.Models.Architectures;
using Handbook.Recipes.Keys;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.Unpaired;
using Handbook.Training.Runs;

namespace Handbook.Conventions.Tests;

/// <summary>
/// What CONTRIBUTING promises of how many places an addition takes, counted: where in <c>src/</c> a name stands as a text.
/// </summary>
public class PlaceTests
{
    private const string Methods = "src/Handbook.Training/Runs/TrainingMethod.cs";
    private const string Quickstart = "src/Handbook.Quickstart/QuickstartRun.cs";

    // The families, each in one file; two have losses of one name.
    private static readonly string[] LossTables =
    [
        "src/Handbook.Training/Objectives/Preference/PreferenceLossTable.cs",
        "src/Handbook.Training/Objectives/Preference/ContrastiveLoss.cs",
        "src/Handbook.Training/Objectives/Unpaired/UnpairedLossTable.cs",
    ];

    /// <summary>Files in which a name of a recipe's key is something else than the key. The list may only shrink.</summary>
    private static readonly Dictionary<string, string> NamesOfOthers = new()
    {
        [Methods] = "a method's own keys, where its row says that they are its own",
        [Quickstart] = "what a user would type",
        ["src/Handbook.Cli/Commands/DpoBenchCommand.cs"] = "a title of its table",
        ["src/Handbook.Chat/ChatTemplates.cs"] = "tokenizer files and variables of templates",
        ["src/Handbook.Data/Sources/DatasetCard.cs"] = "dataset cards",
        ["src/Handbook.Data/Store/SetJson.cs"] = "the store's manifest",
        ["src/Handbook.Gguf/Modelfile.cs"] = "Ollama's words",
        ["src/Handbook.Models/ModelFolder.cs"] = "config.json",
        ["src/Handbook.Models/Configuration/ConfigReader.cs"] = "config.json",
        ["src/Handbook.Models/Configuration/QuantizationConfig.cs"] = "config.json",
        ["src/Handbook.Models/Generation/GenerationDefaults.cs"] = "generation_config.json",
        ["src/Handbook.Reports/ModelCards/Hyperparameters.cs"] = "the words of transformers' model cards",
        ["src/Handbook.Sampling/Endpoints/ChatClientSampler.cs"] = "the interface of servers",
        ["src/Handbook.Sampling/Endpoints/ReplyReader.cs"] = "the interface of servers",
        ["src/Handbook.Models/Adapters/LoraConfigFile.cs"] = "adapter_config.json",
        ["src/Handbook.Training/Runs/RunAdapter.cs"] = "whom a refusal names",
        ["src/Handbook.Sampling/Endpoints/RequestForm.cs"] = "the interface of servers",
        ["src/Handbook.Sampling/ModelDefaults.cs"] = "generation_config.json",
        ["src/Handbook.Sampling/PolicyOptions.cs"] = "generation_config.json",
        ["src/Handbook.Sampling/Scoring/JudgeDialogue.cs"] = "variables of a judge's template",
        ["src/Handbook.Tokenizers/Files/SettingsReader.cs"] = "tokenizer files",
        ["src/Handbook.Tokenizers/Files/SettingsWriter.cs"] = "tokenizer files",
        ["src/Handbook.Tokenizers/Files/SpecialTokensReader.cs"] = "tokenizer files",
        ["src/Handbook.Tokenizers/LengthOptions.cs"] = "tokenizer files",
        ["src/Handbook.Training/Artefacts/MetricNames.cs"] = "trainer_state.json",
        ["src/Handbook.Training/Artefacts/TrainerState.cs"] = "trainer_state.json",
        ["src/Handbook.Training/Options/RunOptions.cs"] = "keys that say where a run lies, which no card repeats",
        ["src/Handbook.Training/Planning/PlanChoice.cs"] = "what a user would type",
        ["src/Handbook.Training/Runs/RunIdentity.cs"] = "what a begun run is compared by",
        ["src/Handbook.Training/Runs/RunInspection.cs"] = "a title of its table",
        ["src/Handbook.Training/Runs/RunModel.cs"] = "whom a refusal names",
        ["src/Handbook.Training/Runs/RunVocabulary.cs"] = "whom a refusal names",
        ["src/Handbook.Training/Runs/RunTokenizer.cs"] = "whom a refusal names",
        ["src/Handbook.Training/Runs/TrainingRun.cs"] = "whom a refusal names",
    };

    private static readonly Dictionary<string, string> Sources = SourceTree.CSharp("src").ToDictionary(path => path, SourceTree.Read);

    /// <summary>A run key: its row, which sets the property of a record.</summary>
    [Fact]
    public void Keys_AreNamedInTheirRows()
    {
        // A key of one word is a word, too.
        var names = RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour && row.Name.Contains('_', StringComparison.Ordinal))
            .Select(row => row.Name);
        Assert.Empty(names.SelectMany(name => Places(name).Where(path => !IsOfTable(path) && !NamesOfOthers.ContainsKey(path))
            .Select(path => $"{name}: {path}")));
    }

    /// <summary>A method: its objective and its row. Losses, stages of the quickstart and a benchmark may have a method's name.</summary>
    [Fact]
    public void Methods_AreNamedInTheirRows()
    {
        string[] others =
        [
            Methods, Quickstart, .. LossTables, "src/Handbook.Cli/Commands/DpoBenchCommand.cs",
            "src/Handbook.Sampling/Constitutional/ConstitutionRun.cs",
        ];
        Assert.Empty(TrainingMethod.All.SelectMany(method => Places(method.Name).Except(others).Select(path => $"{method.Name}: {path}")));
    }

    /// <summary>A loss: its row, which has its formula.</summary>
    [Fact]
    public void Losses_AreNamedInTheirRows()
    {
        var names = PreferenceLossTable.Rows.Select(row => row.Name).Concat(UnpairedLossTable.Rows.Select(row => row.Name))
            .Concat(ContrastiveLoss.Names)
            .Distinct().Where(name => TrainingMethod.Find(name) is null);
        // The loss of options that nobody filled.
        string[] others = [.. LossTables, "src/Handbook.Training/Options/PreferenceOptions.cs"];
        Assert.Empty(names.SelectMany(name => Places(name).Except(others).Select(path => $"{name}: {path}")));
    }

    /// <summary>An architecture: its row. Benchmarks make a model of one of them.</summary>
    [Fact]
    public void Architectures_AreNamedInTheirRows() => Assert.Empty(ArchitectureTable.Rows.Keys.SelectMany(name => Places(name)
        .Where(path => !path.StartsWith("src/Handbook.Models/Architectures/", StringComparison.Ordinal))
        // A size of models, and llama.cpp's words: its rows of what it can compute, kinds of tokenizers.
        .Except(
        [
            "src/Handbook.Benchmarks/ModelShape.cs", "src/Handbook.Gguf/Architectures/GgufArchitectureTable.cs",
            "src/Handbook.Gguf/Vocabularies/SentencePieceVocabulary.cs", "src/Handbook.Gguf/Vocabularies/ByteLevelVocabulary.cs",
            "src/Handbook.Gguf/Vocabularies/PreTokenizerNames.cs", "src/Handbook.Gguf/ModelName.cs",
        ]).Select(path => $"{name}: {path}")));

    /// <summary>A method that knows a key names one that there is.</summary>
    [Fact]
    public void OwnKeys_AreInTheTable() =>
        Assert.Empty(TrainingMethod.All.SelectMany(method => method.Keys).Where(key => RecipeKeyTable.Find(key) is null));

    private static bool IsOfTable(string path) => path.StartsWith("src/Handbook.Recipes/Keys/", StringComparison.Ordinal)
        || (path.StartsWith("src/Handbook.Recipes/", StringComparison.Ordinal) && path.EndsWith("Rules.cs", StringComparison.Ordinal));

    private static IEnumerable<string> Places(string name) =>
        Sources.Where(file => file.Value.Contains($"\"{name}\"", StringComparison.Ordinal)).Select(file => file.Key);
}
