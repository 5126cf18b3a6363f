namespace Handbook.Torch.Tests;

/// <summary>The count of live tensors is the whole process's, so these tests run alone.</summary>
[CollectionDefinition(nameof(LiveTensors), DisableParallelization = true)]
public sealed class LiveTensors;

[Collection(nameof(LiveTensors))]
public sealed class TensorScopeTests
{
    [Fact]
    public void Dispose_OfAScope_FreesWhatWasMadeInItAndNotKept()
    {
        var before = Tensor.LiveCount;
        Tensor kept;
        using (var scope = new TensorScope())
        {
            var tensor = Tensor.Full([4], 2, DType.Float32);
            kept = scope.Keep(tensor.Multiply(tensor));
            Assert.Equal(before + 2, Tensor.LiveCount);
        }
        Assert.Equal(before + 1, Tensor.LiveCount);
        Assert.Equal([4f, 4, 4, 4], kept.ToArray<float>());
        kept.Dispose();
        Assert.Equal(before, Tensor.LiveCount);
    }

    [Fact]
    public void Keep_InAnInnerScope_HandsTheTensorToTheOuter()
    {
        var before = Tensor.LiveCount;
        using (new TensorScope())
        {
            Tensor kept;
            using (var inner = new TensorScope())
                kept = inner.Keep(Tensor.Zeros([1], DType.Float32));
            Assert.Equal(0, kept.Item());
        }
        Assert.Equal(before, Tensor.LiveCount);
    }

    [Fact]
    public void Detach_OfATensor_LetsItOutliveEveryScope()
    {
        Tensor detached;
        using (new TensorScope())
            detached = TensorScope.Detach(Tensor.Zeros([1], DType.Float32));
        Assert.Equal(0, detached.Item());
        detached.Dispose();
    }

    [Fact]
    public void Dispose_OutOfOrder_IsRefused()
    {
        var outer = new TensorScope();
        var inner = new TensorScope();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        inner.Dispose();
    }

    [Fact]
    public void FailedCalls_InALoop_LeaveNoTensor()
    {
        var before = Tensor.LiveCount;
        for (var i = 0; i < 10; i++)
        {
            using var scope = new TensorScope();
            var tensor = Tensor.Zeros([2, 3], DType.Float32);
            Assert.Throws<LibtorchException>(() => tensor.MatMul(tensor));
        }
        Assert.Equal(before, Tensor.LiveCount);
    }

    [Fact]
    public void ToArrayAndItem_OnNoScope_LeaveNoTensor()
    {
        var before = Tensor.LiveCount;
        using (var tensor = Tensor.Full([1], 3, DType.BFloat16))
        {
            Assert.Equal(3, tensor.Item());
            Assert.Equal([3L], tensor.ToArray<long>());
        }
        Assert.Equal(before, Tensor.LiveCount);
    }
}
