using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Safetensors;

public sealed class SafetensorsFolderTests
{
    [Fact]
    public void Write_OverLimit_SplitsInOrderAndReadsBack()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        var tensors = Enumerable.Range(0, 5).Select(i => new NamedTensor($"t{4 - i}", Tensor.From([i + 0f, i + 1f]))).ToArray();

        var files = SafetensorsFolderWriter.Write(temporary.Path, tensors, shardLimit: 17);

        Assert.Equal(["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors",
            "model.safetensors.index.json"], files);
        using var folder = new SafetensorsFolder(temporary.Path);
        Assert.Equal(["t0", "t1", "t2", "t3", "t4"], folder.Names);
        Assert.EndsWith("model-00001-of-00003.safetensors", folder.FileOf("t4"), StringComparison.Ordinal);
        foreach (var tensor in tensors)
            Assert.Equal(tensor.Value.ToArray<float>(), folder.Get(tensor.Name).ToArray<float>());
    }

    [Fact]
    public void Write_FewerFilesThanBefore_RemovesTheOldOnes()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        var tensors = new[] { new NamedTensor("a", Tensor.From([1f])), new NamedTensor("b", Tensor.From([2f])) };
        SafetensorsFolderWriter.Write(temporary.Path, tensors, shardLimit: 4);

        SafetensorsFolderWriter.Write(temporary.Path, tensors);

        Assert.Equal(["model.safetensors"], Directory.GetFiles(temporary.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("{\"weight_map\":{\"a\":\"../a.safetensors\"}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\"/etc/a.safetensors\"}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\"..\\\\a.safetensors\"}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\"C:a.safetensors\"}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\".safetensors\"}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\"a.bin\"}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":3}}", "a file name in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}", "not valid JSON")]
    [InlineData("{\"weight_map\":{\"a\":\"absent.safetensors\"}}", "absent.safetensors: no such file")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\"}}", "tensor \"a\" should be in x.safetensors")]
    [InlineData("{\"weight_map\":[]}", "no weight_map")]
    [InlineData("[]", "no weight_map")]
    [InlineData("{", "not valid JSON")]
    public void Open_BrokenIndex_Refuses(string index, string expected)
    {
        using var temporary = new TemporaryFolder();
        using var x = Tensor.From([1f]);
        SafetensorsWriter.Write(temporary.File("x.safetensors"), [new NamedTensor("x", x)]);
        File.WriteAllText(temporary.File("model.safetensors.index.json"), index);

        var error = Assert.Throws<UserErrorException>(() => new SafetensorsFolder(temporary.Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Open_PickledWeights_RefusesWithRemedy()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(temporary.File("pytorch_model.bin"), "");

        var error = Assert.Throws<UserErrorException>(() => new SafetensorsFolder(temporary.Path));

        Assert.Contains("pytorch_model.bin", error.Message, StringComparison.Ordinal);
        Assert.Contains("safe_serialization", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoFolder_SaysSo() =>
        Assert.Contains("no such folder", Assert.Throws<UserErrorException>(() => new SafetensorsFolder("absent-folder")).Message,
            StringComparison.Ordinal);
}
