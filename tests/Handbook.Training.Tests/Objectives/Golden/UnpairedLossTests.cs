using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.Unpaired;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>KTO and BCO on given log-probabilities: liked answers first, then the others.</summary>
[Trait("Category", "Golden")]
public sealed class UnpairedLossTests
{
    private const string KtoFile = "kto.json";
    private const string BcoFile = "bco.json";

    public static TheoryData<int, string> KtoCases() =>
        LossVectors.Cases(KtoFile, "loss_type", "inputs", "beta", "desirable_weight", "undesirable_weight", "calculate_KL");

    public static TheoryData<int, string> BcoCases() => LossVectors.Cases(BcoFile, "batch_index", "beta");

    [Theory]
    [MemberData(nameof(KtoCases))]
    public void PerAnswer_GoldenKto_GivesLossesRewardsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(KtoFile), index);
        var loss = UnpairedLossTable.Find(expected.Text("loss_type"));
        var divergence = expected.Flag("calculate_KL")
            ? Math.Max(0,
                expected.Numbers("policy_KL_logps").Zip(expected.Numbers("ref_KL_logps"), (policy, reference) => policy - reference)
                    .Average())
            : 0;
        LossVectors.Near(expected.Number("kl"), divergence, LossVectors.Double, name + " kl");
        Check(expected, loss, loss.Baseline == BaselineKind.Divergence ? expected.Number("beta") * divergence : 0,
            LossVectors.Double, name);
    }

    [Theory]
    [MemberData(nameof(BcoCases))]
    public void PerAnswer_GoldenBco_GivesLossesAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var file = LossVectors.Read(BcoFile);
        var expected = LossVectors.Case(file, index);
        var running = new RewardBaseline();
        var mean = 0.0;
        for (var i = index - (int)expected.Number("batch_index"); i <= index; i++)
        {
            mean = running.Including(Tensor.From<double>([.. Rewards(LossVectors.Case(file, i))]), isTraining: true).Item();
            running.Settle();
        }
        LossVectors.Near(expected.Number("delta"), mean, LossVectors.Metric, name + " delta");
        Check(expected, UnpairedLossTable.Find("bco"), mean, LossVectors.Metric, name);
    }

    private static void Check(JsonObject expected, UnpairedLoss loss, double baseline, double tolerance, string name)
    {
        var (chosen, rejected) = (LossVectors.Leaf(expected.Numbers("policy_chosen_logps")),
            LossVectors.Leaf(expected.Numbers("policy_rejected_logps")));
        using var tape = new Tape();
        var rewards = (Chosen: Reward(tape, chosen, expected, "ref_chosen_logps"),
            Rejected: Reward(tape, rejected, expected, "ref_rejected_logps"));
        var liked = loss.PerCompletion(tape, tape.AddConstant(rewards.Chosen, -baseline));
        var disliked = loss.PerCompletion(tape, tape.AddConstant(tape.Negate(rewards.Rejected), baseline));
        var all = tape.Concat(
            [tape.Scale(liked, expected.NumberOr("desirable_weight", 1)),
                tape.Scale(disliked, expected.NumberOr("undesirable_weight", 1))]);
        var mean = tape.Mean(all);
        tape.Backward(mean);

        LossVectors.Near(expected.Numbers("losses"), all.Value.Values(), tolerance, name + " losses");
        LossVectors.Near(expected.Number("loss"), mean.Value.Item(), tolerance, name + " loss");
        LossVectors.Near(expected.Numbers("grad_chosen"), chosen.GradientValues(), tolerance, name + " grad_chosen");
        LossVectors.Near(expected.Numbers("grad_rejected"), rejected.GradientValues(), tolerance, name + " grad_rejected");
        if (expected["chosen_rewards"] is null)
            return;
        LossVectors.Near(expected.Numbers("chosen_rewards"), rewards.Chosen.Value.Values(), tolerance, name + " chosen_rewards");
        LossVectors.Near(expected.Numbers("rejected_rewards"), rewards.Rejected.Value.Values(), tolerance, name + " rejected_rewards");
    }

    private static Variable Reward(Tape tape, Variable logps, JsonObject expected, string reference) =>
        tape.Scale(tape.Subtract(logps, LossVectors.Constant(expected.Numbers(reference))), expected.Number("beta"));

    private static double[] Rewards(JsonObject batch)
    {
        var beta = batch.Number("beta");
        return
        [
            .. batch.Numbers("policy_chosen_logps")
                .Zip(batch.Numbers("ref_chosen_logps"), (policy, reference) => beta * (policy - reference)),
            .. batch.Numbers("policy_rejected_logps")
                .Zip(batch.Numbers("ref_rejected_logps"), (policy, reference) => beta * (policy - reference)),
        ];
    }
}
