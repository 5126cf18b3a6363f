using System.Reflection;

namespace Handbook.Autograd.Tests;

/// <summary>An operation without a gradient check is a fault of the suite.</summary>
public sealed class GradientCoverageTests
{
    [Fact]
    public void EveryPublicOperation_HasAGradientCheck()
    {
        var proved = GradientTests.Cases.Values.Select(operation => (operation.Class, operation.Method))
            .Concat(from type in typeof(GradientCoverageTests).Assembly.GetTypes()
                    from member in type.GetMethods().Cast<MemberInfo>().Append(type)
                    from proof in member.GetCustomAttributes<ProvesGradientAttribute>()
                    select (proof.Operation, proof.Method))
            .ToHashSet();
        var operations = from type in typeof(Tape).Assembly.GetExportedTypes()
                         where type.IsAbstract && type.IsSealed
                         from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static)
                         where method.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(Tape)
                         select (type, method.Name);
        Assert.Empty(operations.Distinct().Where(operation => !proved.Contains(operation))
            .Select(operation => $"{operation.type.Name}.{operation.Name}"));
    }

    [Fact]
    [ProvesGradient(typeof(Elementary.Indexing), nameof(Elementary.Indexing.StopGradient))]
    public void StopGradient_OfATrackedInput_PassesNothingBack()
    {
        using var tape = new Tape();
        var x = new Variable(Torch.Tensor.From(new[] { 2.0 }), requiresGrad: true);
        var stopped = Elementary.Indexing.StopGradient(tape, x);
        tape.Backward(Elementary.Arithmetic.Multiply(tape, x, stopped));
        Assert.Equal([2.0], x.Grad!.ToArray<double>());
        Assert.False(stopped.RequiresGrad);
    }

    [Fact]
    [ProvesGradient(typeof(Elementary.Pointwise), nameof(Elementary.Pointwise.Cast))]
    public void Cast_ToAnotherType_PassesTheGradientBackInItsOwn()
    {
        using var tape = new Tape();
        var x = new Variable(Torch.Tensor.From(new[] { 2.0, -3.0 }).To(Torch.DType.BFloat16), requiresGrad: true);
        var wide = Elementary.Pointwise.Cast(tape, x, Torch.DType.Float32);
        Assert.Same(x, Elementary.Pointwise.Cast(tape, x, Torch.DType.BFloat16));
        tape.Backward(Elementary.Reductions.Sum(tape, Elementary.Pointwise.Square(tape, wide)));
        Assert.Equal(Torch.DType.Float32, wide.Value.DType);
        Assert.Equal(Torch.DType.BFloat16, x.Grad!.DType);
        Assert.Equal([4.0, -6.0], x.Grad!.ToArray<double>());
    }
}
