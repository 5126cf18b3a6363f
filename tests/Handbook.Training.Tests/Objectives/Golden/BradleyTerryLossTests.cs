using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;
using Handbook.Training.Objectives.RewardModel;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>The loss of reward models on given scores.</summary>
[Trait("Category", "Golden")]
public sealed class BradleyTerryLossTests
{
    private const string FileName = "reward_bt.json";

    public static TheoryData<int, string> Cases() => LossVectors.Cases(FileName, "inputs", "center_rewards_coefficient", "margin");

    [Theory]
    [MemberData(nameof(Cases))]
    public void PerPair_GoldenScores_GivesLossAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(FileName), index);
        var (chosen, rejected) = (LossVectors.Leaf(expected.Numbers("rewards_chosen")),
            LossVectors.Leaf(expected.Numbers("rewards_rejected")));
        var margins = expected["margin"] is null ? null : LossVectors.Constant(expected.Numbers("margin"));
        using var tape = new Tape();
        var loss = tape.Mean(BradleyTerryLoss.PerPair(tape, chosen, rejected, margins,
            expected["center_rewards_coefficient"]?.GetValue<double>()));
        tape.Backward(loss);

        LossVectors.Near(expected.Number("loss"), loss.Value.Item(), LossVectors.Double, name + " loss");
        LossVectors.Near(expected.Numbers("grad_chosen"), chosen.GradientValues(), LossVectors.Double, name + " grad_chosen");
        LossVectors.Near(expected.Numbers("grad_rejected"), rejected.GradientValues(), LossVectors.Double, name + " grad_rejected");
    }
}
