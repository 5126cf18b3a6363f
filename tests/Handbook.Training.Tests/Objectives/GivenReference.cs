using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// Log-probabilities of answers as given, in the order of the batch's answers; an answer's whole stands at its first label.
/// </summary>
internal sealed class GivenReference(params double[] answers) : IReferenceLogps
{
    public Tensor TokenLogps(TokenBatch batch)
    {
        var labels = BatchLabels.Of(batch);
        var logps = new double[batch.LossTokenCount];
        for (var i = 0; i < answers.Length; i++)
            logps[labels.Offsets[batch.Completions[i]]] = answers[i];
        return Tensor.From(logps);
    }
}
