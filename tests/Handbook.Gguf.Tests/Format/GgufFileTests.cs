using Handbook.Gguf.Format;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Gguf.Tests.Format;

public sealed class GgufFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Values_OfEveryKind_ComeBack()
    {
        var metadata = new GgufMetadata();
        metadata.Add("a", 7);
        metadata.Add("b", 0.5);
        metadata.Add("c", true);
        metadata.Add("d", "Grüße 😀");
        metadata.Add("e", (string[])["x", "", "ü"]);
        metadata.Add("f", (ReadOnlySpan<int>)[1, -2]);
        metadata.Add("g", (ReadOnlySpan<float>)[1.5f, -1e9f]);
        metadata.Add("h", (ReadOnlySpan<byte>)[0, 255]);

        GgufFile.Write(folder.File("f.gguf"), metadata, []);

        var keys = new GgufReader(folder.File("f.gguf")).Keys;
        Assert.Equal([7, 0.5f, true, "Grüße 😀"], [keys["a"], keys["b"], keys["c"], keys["d"]]);
        Assert.Equal(["x", "", "ü"], (object[])keys["e"]);
        Assert.Equal([1, -2], (object[])keys["f"]);
        Assert.Equal([1.5f, -1e9f], (object[])keys["g"]);
        Assert.Equal([(byte)0, (byte)255], (object[])keys["h"]);
        Assert.Equal(8, keys.Count);
    }

    [Fact]
    public void Tensors_AreWrittenPartByPart_EachFreedBeforeTheNextIsMade()
    {
        Tensor? last = null;
        IEnumerable<Tensor> Parts(int count, int size)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(last?.IsDisposed ?? true);
                yield return last = Tensor.Full([size], i, DType.Float32);
            }
        }

        GgufFile.Write(folder.File("f.gguf"), new GgufMetadata(),
        [
            new GgufTensor("one", [3, 5], TensorType.F32, () => Parts(3, 5)),
            new GgufTensor("two", [2, 32], TensorType.Q8, () => Parts(2, 32)),
        ]);

        Assert.True(last!.IsDisposed);
        var tensors = new GgufReader(folder.File("f.gguf")).Tensors;
        Assert.Equal([5L, 3L], tensors["one"].Sizes);
        Assert.Equal(64, tensors["one"].Padded.Length);
        Assert.Equal(96, tensors["two"].Padded.Length);
        Assert.Equal(1f, BitConverter.ToSingle(tensors["one"].Padded.Span[20..]));
    }

    [Fact]
    public void Slices_OfALargeTensor_AreThoseOfTheWhole()
    {
        // More than one slice of the writer, and no whole number of them.
        using var whole = Tensor.Empty([1500, 1024], DType.Float32);
        var (random, elements) = (new Random(5), whole.Span<float>().ToArray());
        for (var i = 0; i < elements.Length; i++)
            elements[i] = (float)random.NextDouble() - 0.5f;
        elements.CopyTo(whole.Span<float>());

        var tensor = new GgufTensor("x", [1500, 1024], TensorType.Q4, () => [whole.Alias()]);
        GgufFile.Write(folder.File("f.gguf"), new GgufMetadata(), [tensor]);

        var packed = new GgufReader(folder.File("f.gguf")).Tensors["x"].Padded.Span;
        var expected = new byte[18];
        foreach (var block in (int[])[0, 1, (1 << 15) - 1, 1 << 15, 1500 * 32 - 1])
        {
            TensorType.Q4.Encoder!.Encode(elements.AsSpan(block * 32, 32), expected);
            Assert.True(packed.Slice(block * 18, 18).SequenceEqual(expected), $"block {block}");
        }
    }

    [Theory]
    [InlineData("f16", 1e5f, "beyond 65504")]
    [InlineData("q8_0", float.NaN, "not finite")]
    [InlineData("f32", float.PositiveInfinity, "not finite")]
    public void Element_ThatIsNoNumberOfItsType_LeavesNothing(string type, float element, string reason)
    {
        var tensor = new GgufTensor("bad", [1, 32], FileType.Find(type).Most, () => [Tensor.Full([32], element, DType.Float32)]);

        var error = Assert.Throws<UserErrorException>(() => GgufFile.Write(folder.File("f.gguf"), new GgufMetadata(), [tensor]));

        Assert.Contains("tensor bad", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
