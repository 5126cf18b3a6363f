using Handbook.Autograd;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.EveryArchitecture;

/// <summary>Folders of every architecture go round without a bit changed: whole, in several files, with either head, grown.</summary>
public sealed class FolderTests
{
    public static TheoryData<string> Names() => TinyArchitectures.Names();

    [Theory]
    [MemberData(nameof(Names))]
    public void SaveLoadSave_TiedAndUntied_GivesTheSameBytes(string modelType)
    {
        foreach (var tied in new[] { true, false })
        {
            using var temporary = new TemporaryFolder();
            using (var model = TinyArchitectures.Create(modelType, tied))
                model.Save(temporary.File("first"), DType.Float32);
            using (var again = CausalLanguageModel.Load(temporary.File("first")))
            {
                Assert.Equal(tied, again.Config.Head.IsTied);
                again.Save(temporary.File("second"), DType.Float32);
            }

            foreach (var file in new[] { "model.safetensors", "config.json" })
                Assert.Equal(File.ReadAllBytes(temporary.File("first/" + file)), File.ReadAllBytes(temporary.File("second/" + file)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_SeveralFiles_GivesTheSameWeights(string modelType)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var model = TinyArchitectures.Create(modelType);
        model.Save(temporary.File("whole"), DType.Float32);
        Directory.CreateDirectory(temporary.File("parts"));
        File.Copy(temporary.File("whole/config.json"), temporary.File("parts/config.json"));
        SafetensorsFolderWriter.Write(temporary.File("parts"), [.. model.Map.ToFiles(model.Parameters, DType.Float32, null)],
            shardLimit: 30_000);

        using var again = CausalLanguageModel.Load(temporary.File("parts"));
        again.Save(temporary.File("again"), DType.Float32);

        Assert.True(Directory.GetFiles(temporary.File("parts"), "*.safetensors").Length > 1);
        Assert.Equal(File.ReadAllBytes(temporary.File("whole/model.safetensors")),
            File.ReadAllBytes(temporary.File("again/model.safetensors")));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_LargerVocabulary_AddsRowsAndKeepsTheOthers(string modelType)
    {
        foreach (var tied in new[] { true, false })
        {
            using var temporary = new TemporaryFolder();
            using var scope = new TensorScope();
            using var model = TinyArchitectures.Create(modelType, tied);
            model.Save(temporary.Path, DType.Float32);
            using (var grown = CausalLanguageModel.Load(temporary.Path, vocabulary: TinyArchitectures.Vocabulary + 3))
                grown.Save(temporary.File("grown"), DType.Float32);

            using var again = CausalLanguageModel.Load(temporary.File("grown"));

            foreach (var (before, after) in model.Parameters.Zip(again.Parameters))
                Assert.Equal(before.Value.ToArray<float>(), after.Value.Narrow(0, 0, before.Value.Size(0)).ToArray<float>());
            Assert.Equal(TinyArchitectures.Vocabulary + 3, again.Head.Weight.Shape[0]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Classifier_FromALanguageModel_ScoresAndGoesRound(string modelType)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using (var model = TinyArchitectures.Create(modelType))
            model.Save(temporary.Path, DType.Float32);
        using var first = SequenceClassifier.Load(temporary.Path, seed: 3, labels: 2);
        first.Save(temporary.File("first"), DType.Float32);

        using var second = SequenceClassifier.Load(temporary.File("first"));
        second.Save(temporary.File("second"), DType.Float32);

        Assert.Empty(second.NewWeights);
        Assert.Equal(File.ReadAllBytes(temporary.File("first/model.safetensors")),
            File.ReadAllBytes(temporary.File("second/model.safetensors")));
        using var tape = new Tape();
        var scores = second.Forward(tape, TinyArchitectures.Tokens(9, 1), SequenceLayout.Documents([4, 5]), [3, 8]);
        tape.Backward(scores);
        Assert.Equal([2, 2], scores.Value.Shape.ToArray());
        Assert.All(second.Parameters, parameter => Assert.NotNull(parameter.Grad));
        foreach (var parameter in second.Parameters)
            parameter.ZeroGrad();
    }
}
