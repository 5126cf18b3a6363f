using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>ORPO's odds ratio on given mean log-probabilities.</summary>
[Trait("Category", "Golden")]
public sealed class OddsRatioLossTests
{
    private const string FileName = "orpo.json";

    public static TheoryData<int, string> Cases() => LossVectors.Cases(FileName, "source", "inputs", "beta");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Ratios_GoldenLogps_GiveLossMetricsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(FileName), index);
        var tolerance = expected.Text("dtype") == "float64" ? LossVectors.Double : LossVectors.Single;
        var beta = expected.Number("beta");
        var (chosen, rejected) = (LossVectors.Leaf(expected.Numbers("chosen_avg_logps")),
            LossVectors.Leaf(expected.Numbers("rejected_avg_logps")));
        using var tape = new Tape();
        var logOdds = OddsRatioLoss.LogOdds(tape, chosen, rejected);
        var ratios = OddsRatioLoss.Ratios(tape, logOdds);
        var loss = tape.Scale(tape.Mean(ratios), -beta);
        tape.Backward(loss);

        LossVectors.Near(expected.Numbers("odds_ratio_losses"), ratios.Value.Multiply(beta).Values(), tolerance,
            name + " odds_ratio_losses");
        LossVectors.Near(expected.Number("loss"), expected.Number("chosen_nll_loss") + loss.Value.Item(), tolerance, name + " loss");
        LossVectors.Near(expected.Number("log_odds_ratio"), ratios.Value.Values().Average(), tolerance, name + " log_odds_ratio");
        LossVectors.Near(expected.Number("log_odds_chosen"), logOdds.Value.Values().Average(), tolerance, name + " log_odds_chosen");
        LossVectors.Near(expected.Numbers("grad_chosen"), chosen.GradientValues(), tolerance, name + " grad_chosen");
        LossVectors.Near(expected.Numbers("grad_rejected"), rejected.GradientValues(), tolerance, name + " grad_rejected");
        LossVectors.Near(expected.Numbers("chosen_rewards"), chosen.Value.Multiply(beta).Values(), tolerance, name + " chosen_rewards");
        LossVectors.Near(expected.Numbers("rejected_rewards"), rejected.Value.Multiply(beta).Values(),
            tolerance, name + " rejected_rewards");
    }
}
