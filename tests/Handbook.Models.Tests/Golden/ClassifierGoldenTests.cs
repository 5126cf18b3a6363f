using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

[Trait("Category", "Golden")]
public sealed class ClassifierGoldenTests
{
    public static TheoryData<string> Models() => [.. GoldenModels.Classifiers];

    [Theory]
    [MemberData(nameof(Models))]
    public void Forward_PaddedBatch_GivesReferenceScores(string folder)
    {
        using var scope = new TensorScope();
        using var model = SequenceClassifier.Load(GoldenModels.PathOf(folder), DType.Float32);
        using var outputs = GoldenModels.Open(folder, "outputs.safetensors");
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
        var batch = GoldenBatch.Padded(inputs);
        using var tape = new Tape(isRecording: false);

        var scores = model.Forward(tape, batch.Ids, batch.Layout, LastRows(batch));

        Assert.Empty(model.NewWeights);
        Assert.InRange(scores.Value.MaxAbsDifference(outputs.Get("logits")), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Backward_PairLoss_GivesReferenceGradients(string folder)
    {
        using var scope = new TensorScope();
        using var model = SequenceClassifier.Load(GoldenModels.PathOf(folder), DType.Float32);
        using var gradients = GoldenModels.Open(folder, "grads.safetensors");
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
        var meta = GoldenModels.Meta(folder);
        var batch = GoldenBatch.Padded(inputs);
        using var tape = new Tape();

        var scores = model.Forward(tape, batch.Ids, batch.Layout, LastRows(batch));
        var gradient = PairGradient(scores.Value.ToArray<double>(), inputs.Get("margin").ToArray<double>(),
            meta["center_rewards_coefficient"]!.GetValue<double>());
        tape.Backward(scores, Tensor.From(gradient).To(DType.Float32).View(gradient.Length, 1));

        foreach (var name in gradients.Header.Tensors.Keys)
            Assert.InRange(GoldenModels.RelativeDistance(model.Parameters.Single(p => p.Name == name).Grad!, gradients.Get(name)), 0, 1e-4);
        foreach (var parameter in model.Parameters)
        {
            var expected = meta["grad_norms"]![parameter.Name]!.GetValue<double>();
            Assert.Equal(expected, GoldenModels.Norm(parameter.Grad!), 1e-4 * expected);
        }
    }

    private static int[] LastRows(GoldenBatch batch)
    {
        var rows = new List<int>();
        foreach (var segment in batch.Layout.Segments)
            rows.Add(segment.End - 1);
        return [.. rows];
    }

    /// <summary>d/dr of -mean log sigmoid(chosen - rejected - margin) + c mean (chosen + rejected)²; chosen rows come first.</summary>
    private static double[] PairGradient(double[] scores, double[] margins, double centring)
    {
        var pairs = margins.Length;
        var gradient = new double[scores.Length];
        for (var i = 0; i < pairs; i++)
        {
            var (chosen, rejected) = (scores[i], scores[pairs + i]);
            var slope = -1 / (1 + Math.Exp(chosen - rejected - margins[i])) / pairs;
            var centre = 2 * centring * (chosen + rejected) / pairs;
            gradient[i] = slope + centre;
            gradient[pairs + i] = -slope + centre;
        }
        return gradient;
    }
}
