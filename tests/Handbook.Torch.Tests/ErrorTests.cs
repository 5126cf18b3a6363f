namespace Handbook.Torch.Tests;

/// <summary>A native failure is one managed exception that says what was called on what and why it failed.</summary>
public sealed class ErrorTests
{
    [Fact]
    public void Call_WithShapesThatDoNotFit_NamesOperatorShapesDtypesAndReason()
    {
        using var scope = new TensorScope();
        var error = Assert.Throws<LibtorchException>(() =>
            Operator.Call("aten::mm"u8, default, Tensor.Zeros([2, 3], DType.Float32), Tensor.Zeros([4, 5], DType.Float32)));
        Assert.Equal("aten::mm(float32[2, 3], float32[4, 5]) failed: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
            error.Message);
    }

    [Fact]
    public void Call_WithDtypesThatDoNotFit_NamesThem()
    {
        using var scope = new TensorScope();
        var error = Assert.Throws<LibtorchException>(() =>
            Operator.Call("aten::mm"u8, default, Tensor.Zeros([2, 3], DType.BFloat16), Tensor.Zeros([3, 2], DType.Float32)));
        Assert.StartsWith("aten::mm(bfloat16[2, 3], float32[3, 2]) failed: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_OfAnUnknownOperator_NamesIt()
    {
        using var scope = new TensorScope();
        var error = Assert.Throws<LibtorchException>(
            () => Operator.Call("aten::no_such_operator"u8, default, Tensor.Zeros([1], DType.Float32)));
        Assert.Contains("aten::no_such_operator", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_AfterAFailure_WorksAndTheNextReasonIsItsOwn()
    {
        using var scope = new TensorScope();
        Assert.Throws<LibtorchException>(() => Tensor.Zeros([2, 3], DType.Float32).MatMul(Tensor.Zeros([2, 3], DType.Float32)));
        Assert.Equal(6, Tensor.Full([2, 3], 1, DType.Float32).Sum().Item());
        var second = Assert.Throws<LibtorchException>(() => Tensor.Zeros([6], DType.Float32).View(4, 4));
        Assert.DoesNotContain("multiplied", second.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Use_OfAFreedTensor_IsRefused()
    {
        var tensor = Tensor.Zeros([2], DType.Float32);
        tensor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.Sum());
        tensor.Dispose();
    }

    [Fact]
    public void Failure_InAProcessOfItsOwn_PrintsNothingToStandardError()
    {
        var (code, output, errors) = ChildProcess.Start(ChildProcess.FailedOperator);
        Assert.Equal("", errors);
        Assert.Equal(
            "LibtorchException: aten::mm(float32[2, 3], float32[4, 5]) failed: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
            output);
        Assert.Equal(2, code);
    }
}
