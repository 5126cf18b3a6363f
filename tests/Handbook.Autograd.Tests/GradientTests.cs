using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Every operation's gradient, proved twice on random shapes.</summary>
public sealed class GradientTests
{
    private const int Seeds = 3;

    internal static readonly Dictionary<string, OperationCase> Cases =
        LayerCases.All().Concat(ElementaryCases.All()).Concat(SequenceCases.All()).Concat(ExpertCases.All())
            .ToDictionary(operation => operation.Name);

    public static TheoryData<string> Names => [.. Cases.Keys];

    public static TheoryData<string> NamesWithReference =>
        [.. Cases.Values.Where(operation => operation.Reference is not null).Select(operation => operation.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradient_InFloat64_EqualsFiniteDifferences(string name)
    {
        var operation = Cases[name];
        for (var seed = 0; seed < Seeds; seed++)
        {
            using var scope = new TensorScope();
            GradientCheck.AgainstFiniteDifferences(operation.Operation, operation.Inputs(new Random(seed)));
        }
    }

    [Theory]
    [MemberData(nameof(NamesWithReference))]
    public void ValueAndGradient_InFloat64_EqualLibtorch(string name)
    {
        var operation = Cases[name];
        for (var seed = 0; seed < Seeds; seed++)
        {
            using var scope = new TensorScope();
            GradientCheck.AgainstLibtorch(operation.Operation, operation.Reference!, operation.Inputs(new Random(seed)), 1e-12);
        }
    }
}
