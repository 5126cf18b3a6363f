using Handbook.Torch;

namespace Handbook.Autograd.Tests;

public class AttentionTests
{
    private static readonly SequenceLayout PromptWithTwoAnswers = new(
        new Segment(0, 4), new Segment(4, 3, 4, 0), new Segment(7, 2, 4, 0), new Segment(9, 5));

    [Theory]
    [InlineData(null)]
    [InlineData(3)]
    [ProvesGradient(typeof(Attention), nameof(Attention.Apply))]
    public void Apply_OnSharedPrefixAndGroupedHeads_HasTheGradientOfCentralDifferences(int? window)
    {
        using var scope = new TensorScope();
        var random = new Random(1);
        var tokens = PromptWithTwoAnswers.Length;
        Tensor[] inputs = [CentralDifferences.Normal(random, tokens, 4, 6), CentralDifferences.Normal(random, tokens, 2, 6), CentralDifferences.Normal(random, tokens, 2, 6)];
        CentralDifferences.Check(random, inputs, (tape, x) => Attention.Apply(tape, x[0], x[1], x[2], PromptWithTwoAnswers, 0.4, window));
    }
}
