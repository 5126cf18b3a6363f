using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Safetensors;

public sealed class SafetensorsFileTests
{
    public static TheoryData<string> ReferenceFiles()
    {
        var rows = new TheoryData<string>();
        foreach (var folder in Directory.GetDirectories(SharedFolders.Golden("models")).Order(StringComparer.Ordinal))
        {
            if (File.Exists(Path.Combine(folder, "model.safetensors")))
                rows.Add(Path.GetFileName(folder));
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(ReferenceFiles))]
    [Trait("Category", "Golden")]
    public void Write_TensorsOfReferenceFile_GivesItsBytes(string folder)
    {
        var source = SharedFolders.Golden("models", folder, "model.safetensors");
        using var temporary = new TemporaryFolder();
        using var file = new SafetensorsFile(source);
        using var scope = new TensorScope();

        SafetensorsWriter.Write(temporary.File("copy"),
            file.Header.Tensors.Keys.Reverse().Select(name => new NamedTensor(name, file.Get(name))));

        Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(temporary.File("copy")));
    }

    [Fact]
    public void Get_AfterWrite_ReturnsElementsOfEveryType()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        var numbers = Tensor.From([1.5, -2, 0, 3e4]);
        DType[] dtypes = [DType.Float64, DType.Float32, DType.Float16, DType.BFloat16, DType.Int64, DType.Int32, DType.Int16];
        var tensors = dtypes.Select(dtype => new NamedTensor(dtype.Name(), numbers.To(dtype).Reshape(2, 2)))
            .Append(new NamedTensor("bool", Tensor.From([true, false, true])))
            .Append(new NamedTensor("empty", Tensor.Empty([0, 3], DType.Float32)))
            .Append(new NamedTensor("scalar", Tensor.Scalar(7)))
            .ToArray();

        SafetensorsWriter.Write(temporary.File("t"), tensors);

        using var file = new SafetensorsFile(temporary.File("t"));
        Assert.Equal("pt", file.Header.Metadata["format"]);
        foreach (var (name, value, dtype) in tensors)
        {
            var read = file.Get(name);
            Assert.Equal(dtype, read.DType);
            Assert.Equal(value.Shape.ToArray(), read.Shape.ToArray());
            Assert.Equal(value.ToArray<double>(), read.ToArray<double>());
        }
    }

    [Fact]
    public void Write_OtherTypeAsked_Converts()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();

        SafetensorsWriter.Write(temporary.File("t"), [new NamedTensor("x", Tensor.From([1f, 1.001f]), DType.BFloat16)]);

        using var file = new SafetensorsFile(temporary.File("t"));
        Assert.Equal("BF16", file.Header.Tensors["x"].DTypeName);
        Assert.Equal([1, 1], file.Get("x").ToArray<double>());
    }

    [Fact]
    public void Get_WrittenInto_LeavesFileAlone()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        SafetensorsWriter.Write(temporary.File("t"), [new NamedTensor("x", Tensor.From([1f, 2f]))]);
        var before = File.ReadAllBytes(temporary.File("t"));

        using (var file = new SafetensorsFile(temporary.File("t")))
        using (var x = file.Get("x"))
            x.Fill(9);

        Assert.Equal(before, File.ReadAllBytes(temporary.File("t")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9_000_000)]
    public void Get_AfterTheFileWasCutShort_IsAnError(long left)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        SafetensorsWriter.Write(temporary.File("t"), [new NamedTensor("x", Tensor.Zeros([5_000_000], DType.Float32))]);
        using var file = new SafetensorsFile(temporary.File("t"));
        using (var other = new FileStream(temporary.File("t"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(left);

        var error = Assert.Throws<IOException>(() => file.Get("x"));

        Assert.Equal($"{temporary.File("t")}: has become shorter while it was read.", error.Message);
    }

    [Fact]
    public void Get_BeforeTheFileIsCutShort_KeepsItsElements()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        SafetensorsWriter.Write(temporary.File("t"), [new NamedTensor("x", Tensor.Full([5_000_000], 3, DType.Float32))]);
        using var file = new SafetensorsFile(temporary.File("t"));
        var x = file.Get("x");
        using (var other = new FileStream(temporary.File("t"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(0);

        Assert.Equal(15_000_000, x.ToArray<float>().Sum(value => (double)value));
    }

    [Fact]
    public void Write_NameTwice_Throws()
    {
        using var temporary = new TemporaryFolder();
        using var x = Tensor.From([1f]);

        Assert.Throws<ArgumentException>(
            () => SafetensorsWriter.Write(temporary.File("t"), [new NamedTensor("x", x), new NamedTensor("x", x, DType.BFloat16)]));
        Assert.Empty(Directory.GetFiles(temporary.Path));
    }

    [Fact]
    public void Get_UnknownName_SuggestsNearest()
    {
        using var temporary = new TemporaryFolder();
        using var x = Tensor.From([1f]);
        SafetensorsWriter.Write(temporary.File("t"), [new NamedTensor("model.norm.weight", x)]);
        using var file = new SafetensorsFile(temporary.File("t"));

        var error = Assert.Throws<UserErrorException>(() => file.Get("model.norm.weigth"));

        Assert.Contains("Did you mean model.norm.weight?", error.Message, StringComparison.Ordinal);
    }
}
