using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>Losses of pairs on given log-probabilities: value of every pair, mean, rewards and gradients.</summary>
[Trait("Category", "Golden")]
public sealed class PairLossTests
{
    private const string FileName = "dpo_sequence_level.json";

    public static TheoryData<int, string> Cases() => LossVectors.Cases(
        FileName, "source", "loss_type", "inputs", "beta", "label_smoothing", "f_divergence_type", "f_alpha_divergence_coef",
        "reference_free", "batch_index");

    [Theory]
    [MemberData(nameof(Cases))]
    public void PerPair_GoldenLogps_GivesLossesRewardsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var file = LossVectors.Read(FileName);
        var expected = LossVectors.Case(file, index);
        // TRL holds the running mean of bco_pair in float32.
        var tolerance = expected["batch_index"] is null ? LossVectors.Double : LossVectors.Metric;
        var settings = new LossSettings(
            expected.Number("beta"), expected.Number("label_smoothing"), expected.NumberOr("discopop_tau", 0.05), Baseline(file, index));
        using var tape = new Tape();
        var pairs = Scores(tape, file, expected);
        var losses = PreferenceLossTable.Find(expected.Text("loss_type")).PerPair!(tape, pairs, settings);
        var loss = tape.Mean(losses);
        tape.Backward(loss);

        LossVectors.Near(PerPair(expected), losses.Value.Values(), tolerance, name + " losses");
        LossVectors.Near(expected.Number("loss"), loss.Value.Item(), tolerance, name + " loss");
        LossVectors.Near(expected.Numbers("grad_chosen_logps"), pairs.Chosen.Logps.GradientValues(), tolerance, name + " grad_chosen");
        LossVectors.Near(
            expected.Numbers("grad_rejected_logps"), pairs.Rejected.Logps.GradientValues(), tolerance, name + " grad_rejected");
        if (expected.Flag("reference_free"))
            return; // v0.12 reports rewards against the reference that its loss leaves out.
        LossVectors.Near(
            expected.Numbers("chosen_rewards"), Rewards(pairs.Chosen.Logratios, settings), tolerance, name + " chosen_rewards");
        LossVectors.Near(expected.Numbers("rejected_rewards"), Rewards(pairs.Rejected.Logratios, settings),
            tolerance, name + " rejected_rewards");
    }

    private static double[] Rewards(Variable logratios, LossSettings settings) => logratios.Value.Multiply(settings.Beta).Values();

    private static PairScores Scores(Tape tape, JsonObject file, JsonObject expected)
    {
        var inputs = file["inputs"]![expected.Text("inputs")]!;
        var (referenceChosen, referenceRejected) = (inputs.Numbers("ref_chosen_logps"), inputs.Numbers("ref_rejected_logps"));
        if (expected.Flag("reference_free"))
            (referenceChosen, referenceRejected) = (new double[referenceChosen.Length], new double[referenceChosen.Length]);
        double[] ones = [.. referenceChosen.Select(_ => 1.0)];
        // v0.12 writes alpha as the distance from 1, downwards.
        var divergence = new Divergence(expected.Text("f_divergence_type"), 1 - expected.NumberOr("f_alpha_divergence_coef", 0));
        return PairScores.Of(
            tape, Side(LossVectors.Leaf(Chosen(inputs, expected)), referenceChosen),
            Side(LossVectors.Leaf(inputs.Numbers("rejected_logps")), referenceRejected));

        SideScores Side(Variable logps, double[] reference) =>
            SideScores.Of(tape, divergence, logps, LossVectors.Constant(reference), LossVectors.Constant(ones));
    }

    private static double[] Chosen(JsonNode inputs, JsonObject expected)
    {
        var shift = expected.NumberOr("chosen_logps_shift", 0);
        return [.. inputs.Numbers("chosen_logps").Select(logp => logp + shift)];
    }

    /// <summary>The running mean of the rewards of this batch and of those before it in the same series.</summary>
    private static Variable? Baseline(JsonObject file, int index)
    {
        var running = new RewardBaseline();
        Variable? mean = null;
        var first = index - (LossVectors.Case(file, index)["batch_index"]?.GetValue<int>() ?? 0);
        for (var i = first; i <= index && LossVectors.Case(file, i)["batch_index"] is not null; i++)
        {
            var batch = LossVectors.Case(file, i);
            mean = new Variable(running.Including(
                Tensor.From<double>([.. batch.Numbers("chosen_rewards"), .. batch.Numbers("rejected_rewards")]), isTraining: true));
            running.Settle();
        }
        return mean;
    }

    /// <summary>kto_pair lists chosen answers, then rejected ones; a pair's loss is the mean of both.</summary>
    private static double[] PerPair(JsonObject expected)
    {
        var losses = expected.Numbers("losses");
        var pairs = expected.Numbers("chosen_rewards").Length;
        return losses.Length == pairs ? losses : [.. Enumerable.Range(0, pairs).Select(i => (losses[i] + losses[i + pairs]) / 2)];
    }
}
