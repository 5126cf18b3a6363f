using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Safetensors;
using Handbook.Models.Tests.Golden;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests;

public sealed class ModelFolderTests
{
    public static TheoryData<string> GoldenNames() => [.. GoldenModels.Causal];

    public static TheoryData<string> ClassifierNames() => [.. GoldenModels.Classifiers];

    [Theory]
    [MemberData(nameof(GoldenNames))]
    [Trait("Category", "Golden")]
    public void Save_LoadedModel_GivesTheSameFiles(string folder)
    {
        using var temporary = new TemporaryFolder();
        using var model = CausalLanguageModel.Load(GoldenModels.PathOf(folder));

        model.Save(temporary.Path, model.StoredDType!.Value);

        Assert.Equal(File.ReadAllBytes(Path.Combine(GoldenModels.PathOf(folder), "model.safetensors")),
            File.ReadAllBytes(temporary.File("model.safetensors")));
        Assert.True(JsonNode.DeepEquals(Json(Path.Combine(GoldenModels.PathOf(folder), "config.json")),
            Json(temporary.File("config.json"))));
        Assert.Equal(model.Config.EosTokenIds[0], Json(temporary.File("generation_config.json"))["eos_token_id"]!.GetValue<int>());
        using var again = CausalLanguageModel.Load(temporary.Path);
        Assert.Equal(model.Parameters.Select(p => (p.Name, Bytes(p))), again.Parameters.Select(p => (p.Name, Bytes(p))));
    }

    [Theory]
    [MemberData(nameof(ClassifierNames))]
    [Trait("Category", "Golden")]
    public void Save_Classifier_GivesTheSameFiles(string folder)
    {
        using var temporary = new TemporaryFolder();
        using var model = SequenceClassifier.Load(GoldenModels.PathOf(folder));

        model.Save(temporary.Path, model.StoredDType!.Value);

        Assert.Equal(File.ReadAllBytes(Path.Combine(GoldenModels.PathOf(folder), "model.safetensors")),
            File.ReadAllBytes(temporary.File("model.safetensors")));
        Assert.True(JsonNode.DeepEquals(Json(Path.Combine(GoldenModels.PathOf(folder), "config.json")),
            Json(temporary.File("config.json"))));
        Assert.False(File.Exists(temporary.File("generation_config.json")));
    }

    [Theory]
    [InlineData("dtype")]
    [InlineData("torch_dtype")]
    [InlineData("dtype", "torch_dtype")]
    public void Save_ConfigurationThatNamesTheType_SaysWhatWasWritten(params string[] keys)
    {
        using var temporary = new TemporaryFolder();
        using var model = TinyModels.Create(fields: [.. keys.Select(key => (key, (JsonNode?)"float32"))]);

        model.Save(temporary.Path, DType.BFloat16);

        var config = Json(temporary.File("config.json"));
        Assert.All(keys, key => Assert.Equal("bfloat16", config[key]!.GetValue<string>()));
        Assert.Equal(keys.Order(StringComparer.Ordinal), new[] { "dtype", "torch_dtype" }.Where(config.ContainsKey));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    public void Load_PointerOfGitLfsInAFilesPlace_SaysWhatItIs(string file)
    {
        using var temporary = new TemporaryFolder();
        using (var model = TinyModels.Create())
            model.Save(temporary.Path, DType.Float32);
        File.WriteAllText(temporary.File(file), "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 1000\n");

        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path));

        Assert.StartsWith(
            $"{temporary.File(file)}: is a Git LFS pointer, not the file of 1000 bytes that it stands for; run 'git lfs pull'",
            error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_OtherTypeInSeveralFiles_LoadsTheRoundedWeights()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var model = TinyModels.Create(fields: [("my_note", "kept"), ("dtype", "float32")]);
        model.Save(temporary.Path, DType.BFloat16);
        SafetensorsFolderWriter.Write(temporary.Path, [.. model.Parameters.Select(p => new NamedTensor(p.Name, p.Value, DType.BFloat16))],
            shardLimit: 50_000);

        using var again = CausalLanguageModel.Load(temporary.Path, DType.Float32);

        Assert.False(File.Exists(temporary.File("model.safetensors")));
        Assert.Equal(DType.BFloat16, again.StoredDType);
        var config = Json(temporary.File("config.json"));
        Assert.Equal(("kept", "bfloat16", null, true),
            (config["my_note"]!.GetValue<string>(), config["dtype"]!.GetValue<string>(), config["torch_dtype"],
                config["use_cache"]!.GetValue<bool>()));
        foreach (var (first, second) in model.Parameters.Zip(again.Parameters))
            Assert.Equal(first.Value.To(DType.BFloat16).ToArray<float>(), second.Value.ToArray<float>());
    }

    [Fact]
    public void Load_WeightsThatDoNotFit_AreReportedTogetherWithShapes()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using (var model = TinyModels.Create())
        {
            model.Save(temporary.Path, DType.Float32);
            var weights = model.Parameters.Where(p => p.Name != "model.norm.weight").Select(p => new NamedTensor(p.Name, p.Value)).ToList();
            weights.RemoveAll(weight => weight.Name == "lm_head.weight");
            weights.Add(new NamedTensor("lm_head.weight", Tensor.Zeros([131, 71], DType.Float32)));
            weights.Add(new NamedTensor("model.norm.wait", Tensor.Zeros([72], DType.Float32)));
            weights.Add(new NamedTensor("model.layers.0.self_attn.rotary_emb.inv_freq", Tensor.Zeros([4], DType.Float32)));
            SafetensorsFolderWriter.Write(temporary.Path, weights);
        }

        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path));

        Assert.Equal(
            [
                $"{temporary.Path}: tensor model.norm.weight [72] is missing. Did you mean model.norm.wait?",
                $"{temporary.File("model.safetensors")}: tensor lm_head.weight is [131, 71], the configuration needs [131, 72].",
                $"{temporary.File("model.safetensors")}: tensor \"model.norm.wait\" [72] is not part of this model.",
            ],
            error.Message.Split('\n'));
    }

    [Fact]
    public void Load_BareModelWithoutPrefix_FindsItsWeights()
    {
        using var temporary = new TemporaryFolder();
        using var model = TinyModels.Create(fields: [("tie_word_embeddings", true)]);
        model.Save(temporary.Path, DType.Float32);
        SafetensorsFolderWriter.Write(temporary.Path,
            [.. model.Parameters.Select(p => new NamedTensor(p.Name["model.".Length..], p.Value))]);

        using var again = CausalLanguageModel.Load(temporary.Path);

        Assert.Equal(model.Parameters.Select(p => (p.Name, Bytes(p))), again.Parameters.Select(p => (p.Name, Bytes(p))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_LargerVocabulary_AddsMeanRowsAndSavesThem(bool tied)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var model = TinyModels.Create(fields: ("tie_word_embeddings", tied));
        model.Save(temporary.Path, DType.Float32);

        using (var grown = CausalLanguageModel.Load(temporary.Path, vocabulary: 134))
            grown.Save(temporary.Path, DType.Float32);
        using var again = CausalLanguageModel.Load(temporary.Path, vocabulary: 100);

        Assert.Equal(134, again.Config.VocabularySize);
        Weight[] small = [model.Head.Weight, model.Decoder.Embedding.Weight], large = [again.Head.Weight, again.Decoder.Embedding.Weight];
        foreach (var (old, current) in small.Zip(large))
        {
            var (before, after) = (old.Lease().Value, current.Lease().Value);
            Assert.Equal(before.ToArray<float>(), after.Narrow(0, 0, 131).ToArray<float>());
            var mean = before.Sum(0).Multiply(1.0 / 131);
            for (var row = 131; row < 134; row++)
                Assert.InRange(after.Select(0, row).MaxAbsDifference(mean), 0, 1e-6);
        }
    }

    [Fact]
    public void Load_TiedHeadThatDiffers_IsRefused()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var model = TinyModels.Create();
        model.Save(temporary.Path, DType.Float32);
        var config = Json(temporary.File("config.json"));
        config["tie_word_embeddings"] = true;
        File.WriteAllText(temporary.File("config.json"), config.ToJsonString());

        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path));

        Assert.Contains("tie_word_embeddings is true, but lm_head.weight is not model.embed_tokens.weight", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LanguageModelAsClassifier_MakesANewScore()
    {
        using var temporary = new TemporaryFolder();
        using (var model = TinyModels.Create())
            model.Save(temporary.Path, DType.Float32);

        using var classifier = SequenceClassifier.Load(temporary.Path, seed: 1, labels: 1);
        using var other = SequenceClassifier.Load(temporary.Path, seed: 2, labels: 1);

        Assert.Equal(["score.weight"], classifier.NewWeights);
        Assert.Equal([1, 72], classifier.Parameters[^1].Value.Shape.ToArray());
        Assert.NotEqual(Bytes(classifier.Parameters[^1]), Bytes(other.Parameters[^1]));
    }

    [Fact]
    public void Create_SameSeed_GivesTheSameNormalWeights()
    {
        using var model = TinyModels.Create(fields: ("pad_token_id", 5));
        using var again = TinyModels.Create(fields: ("pad_token_id", 5));
        using var other = CausalLanguageModel.Create(TinyModels.Config(), seed: 2, DType.Float32);

        Assert.Equal(model.Parameters.Select(Bytes), again.Parameters.Select(Bytes));
        Assert.NotEqual(Bytes(model.Parameters[^1]), Bytes(other.Parameters[^1]));
        var weights = model.Parameters.Single(p => p.Name == "model.layers.1.mlp.up_proj.weight").Value.ToArray<double>();
        Assert.Equal(0, weights.Average(), 0.2 * 4 / Math.Sqrt(weights.Length));
        Assert.Equal(0.2, Math.Sqrt(weights.Average(w => w * w)), 0.2 * 4 / Math.Sqrt(2 * weights.Length));
        Assert.All(model.Parameters.Single(p => p.Name == "model.norm.weight").Value.ToArray<float>(), one => Assert.Equal(1, one));
        using var row = model.Parameters[0].Value.Select(0, 5);
        Assert.All(row.ToArray<float>(), zero => Assert.Equal(0, zero));
    }

    [Fact]
    public void Create_FewerLayers_LeavesOtherWeightsAsTheyAre()
    {
        using var model = TinyModels.Create();
        using var shallow = TinyModels.Create(fields: ("num_hidden_layers", 1));

        Assert.All(shallow.Parameters, p => Assert.Equal(Bytes(model.Parameters.Single(q => q.Name == p.Name)), Bytes(p)));
    }

    [Fact]
    public void Dispose_LoadedModel_LeavesNoTensor()
    {
        using var temporary = new TemporaryFolder();
        using (var model = TinyModels.Create())
            model.Save(temporary.Path, DType.Float32);
        var before = Tensor.LiveCount;

        using (var model = CausalLanguageModel.Load(temporary.Path))
        using (new TensorScope())
            Step(model, new ForwardOptions { Recompute = true });

        Assert.Equal(before, Tensor.LiveCount);
    }

    private static void Step(CausalLanguageModel model, ForwardOptions options)
    {
        using var tape = new Tape();
        int[] ids = [3, 4, 5, 6];
        var hidden = model.Forward(tape, ids, SequenceLayout.Documents([4]), options);
        var (loss, _) = model.Head.Loss(tape, hidden.Hidden, [0, 1, 2], [4, 5, 6], [-1f]);
        tape.Backward(loss);
    }

    private static JsonObject Json(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    private static string Bytes(Parameter parameter) =>
        Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(parameter.Value.Span<float>()));
}
