namespace Handbook.Torch.Tests;

public class TensorMemoryTests
{
    [Fact]
    public void Memory_CountsOnce_HoweverManyViews()
    {
        using var memory = new TensorMemory();
        var tensor = TensorScope.Detach(Tensor.Zeros([1000, 10], DType.Float32));
        var held = memory.Held;
        Assert.InRange(held.Heap, 40_000, 40_128);
        var view = TensorScope.Detach(tensor.Narrow(0, 100, 50));
        Assert.Equal(held, memory.Held);
        tensor.Dispose();
        Assert.Equal(held, memory.Held);
        view.Dispose();
        Assert.Equal(default, memory.Held);
    }

    [Fact]
    public void Peak_IsTheMostSinceItWasTaken()
    {
        using var memory = new TensorMemory();
        using (Tensor.Zeros([1 << 20], DType.Float32))
        {
        }
        using var kept = Tensor.Zeros([1 << 10], DType.Float32);
        Assert.InRange(memory.TakePeak().Mapped, 4 << 20, (4 << 20) + 256);
        Assert.Equal(memory.Held, memory.TakePeak());
    }

    [Fact]
    public void Second_IsRefused()
    {
        using (new TensorMemory())
            Assert.Throws<InvalidOperationException>(() => new TensorMemory());
        new TensorMemory().Dispose();
    }
}
