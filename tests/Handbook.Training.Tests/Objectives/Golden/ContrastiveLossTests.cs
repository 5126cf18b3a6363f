using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>CPO, SimPO and AlphaPO on given log-probabilities.</summary>
[Trait("Category", "Golden")]
public sealed class ContrastiveLossTests
{
    private const string FileName = "cpo_simpo.json";

    public static TheoryData<int, string> Cases() =>
        LossVectors.Cases(FileName, "loss_type", "inputs", "beta", "label_smoothing", "simpo_gamma", "alphapo_alpha");

    [Theory]
    [MemberData(nameof(Cases))]
    public void PerPair_GoldenLogps_GivesLossesRewardsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(FileName), index);
        var loss = new ContrastiveLoss(
            expected.Text("loss_type"), expected.Number("beta"), expected.Number("label_smoothing"), expected.Number("simpo_gamma"),
            expected.Number("alphapo_alpha"));
        var (chosen, rejected) = (LossVectors.Leaf(expected.Numbers("chosen_logps")), LossVectors.Leaf(expected.Numbers("rejected_logps")));
        using var tape = new Tape();
        var losses = loss.PerPair(tape, chosen, rejected);
        var mean = tape.Mean(losses);
        tape.Backward(mean);

        LossVectors.Near(expected.Numbers("losses"), losses.Value.Values(), LossVectors.Double, name + " losses");
        LossVectors.Near(expected.Number("loss"), mean.Value.Item(), LossVectors.Double, name + " loss");
        LossVectors.Near(expected.Numbers("grad_chosen"), chosen.GradientValues(), LossVectors.Double, name + " grad_chosen");
        LossVectors.Near(expected.Numbers("grad_rejected"), rejected.GradientValues(), LossVectors.Double, name + " grad_rejected");
        LossVectors.Near(expected.Numbers("chosen_rewards"), Rewards(tape, loss, chosen), LossVectors.Double, name + " chosen_rewards");
        LossVectors.Near(expected.Numbers("rejected_rewards"), Rewards(tape, loss, rejected),
            LossVectors.Double, name + " rejected_rewards");
    }

    private static double[] Rewards(Tape tape, ContrastiveLoss loss, Variable logps) =>
        loss.Rewards(tape, logps).Value.Multiply(loss.Beta).Values();
}
