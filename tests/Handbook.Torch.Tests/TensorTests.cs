namespace Handbook.Torch.Tests;

public sealed class TensorTests
{
    public static TheoryData<DType> AllDTypes => [.. Enum.GetValues<DType>()];

    [Theory]
    [MemberData(nameof(AllDTypes))]
    public void Zeros_OfEachDtype_HasItsSizeAndName(DType dtype)
    {
        using var tensor = Tensor.Zeros([2, 3], dtype);
        Assert.Equal(dtype, tensor.DType);
        Assert.Equal(6 * dtype.Size(), tensor.ByteCount);
        Assert.Equal($"{dtype.Name()}[2, 3]", tensor.ToString());
        Assert.Equal(new double[6], tensor.ToArray<double>());
    }

    [Theory]
    [MemberData(nameof(AllDTypes))]
    public void To_ThereAndBack_KeepsSmallIntegers(DType dtype)
    {
        using var scope = new TensorScope();
        double[] numbers = dtype == DType.Bool ? [0, 1, 1] : [0, 1, 100];
        Assert.Equal(numbers, Tensor.From(numbers).To(dtype).ToArray<double>());
    }

    [Fact]
    public void From_ManagedNumbers_TakesTheirElementType()
    {
        using var scope = new TensorScope();
        Assert.Equal(DType.Float32, Tensor.From(new[] { 1f }).DType);
        Assert.Equal(DType.Float64, Tensor.From(new[] { 1.0 }).DType);
        Assert.Equal(DType.Int64, Tensor.From(new[] { 1L }).DType);
        Assert.Equal(DType.Int32, Tensor.From(new[] { 1 }).DType);
        Assert.Equal(DType.Bool, Tensor.From(new[] { true }).DType);
        Assert.Equal([1f, 2, 3, 4], Tensor.From<float>([1, 2, 3, 4], [2, 2]).ToArray<float>());
        Assert.Throws<ArgumentException>(() => Tensor.From<float>([1, 2, 3], [2, 2]));
    }

    [Fact]
    public unsafe void OverMemory_OfOurs_SharesIt()
    {
        var memory = new float[] { 1, 2, 3, 4, 5, 6 };
        fixed (float* data = memory)
        {
            using var tensor = Tensor.OverMemory(data, [2, 3], DType.Float32);
            using var sum = tensor.Sum();
            Assert.Equal(21, sum.Item());
            tensor.Fill(7);
            Assert.True(tensor.Pointer == data);
        }
        Assert.All(memory, element => Assert.Equal(7, element));
    }

    [Fact]
    public void Views_OfATensor_ShareItsData()
    {
        using var scope = new TensorScope();
        var tensor = Tensor.From<float>([1, 2, 3, 4, 5, 6], [2, 3]);
        var transposed = tensor.Transpose(0, 1);
        Assert.False(transposed.IsContiguous);
        Assert.Equal([1f, 4, 2, 5, 3, 6], transposed.ToArray<float>());
        tensor.Narrow(1, 1, 1).Fill(0);
        Assert.Equal([1f, 4, 0, 0, 3, 6], transposed.ToArray<float>());
        Assert.Throws<InvalidOperationException>(() => transposed.Span<float>());
    }

    [Fact]
    public void Add_WithAlpha_AddsThatMuch()
    {
        using var scope = new TensorScope();
        var a = Tensor.From(new[] { 1.0, 2 });
        Assert.Equal([1.5, 3], a.Add(a, 0.5).ToArray<double>());
        Assert.Equal([0.0, 0], a.Subtract(a).ToArray<double>());
        Assert.Equal([4.0, 5], a.Add(3).ToArray<double>());
        Assert.Equal(DType.BFloat16, a.To(DType.BFloat16).Multiply(0.5).DType);
    }

    [Fact]
    public void Call_WithSeveralResults_GivesEach()
    {
        using var scope = new TensorScope();
        var (values, order) = Operator.Call2("aten::sort"u8, "stable"u8, Tensor.From(new[] { 3.0, 1, 2 }), Value.Some(true), 0L, false);
        Assert.Equal([1.0, 2, 3], values.ToArray<double>());
        Assert.Equal([1L, 2, 0], order.ToArray<long>());
        var parts = Operator.CallList("aten::split"u8, "Tensor"u8, Tensor.From(new[] { 1.0, 2, 3 }), 2L, 0L);
        Assert.Equal([[1.0, 2], [3.0]], parts.Select(part => part.ToArray<double>()));
    }
}
