using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.Unpaired;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>
/// Whole objectives on given log-probabilities: what they hold against the batch, what they keep from step to step, what they report.
/// </summary>
[Trait("Category", "Golden")]
public sealed class CompletionObjectiveTests
{
    /// <summary>The policy's logits and the head's statistics round where the vectors do not.</summary>
    private const double Tolerance = 1e-7;

    private const string KtoFile = "kto.json";
    private const string BcoFile = "bco.json";
    private const string PairFile = "dpo_sequence_level.json";
    private const string CpoFile = "cpo_simpo.json";

    public static TheoryData<int, string> KtoCases() =>
        LossVectors.Cases(KtoFile, "loss_type", "inputs", "beta", "desirable_weight", "calculate_KL");

    public static TheoryData<int, string> CpoCases() =>
        LossVectors.Cases(CpoFile, "loss_type", "inputs", "beta", "simpo_gamma", "alphapo_alpha");

    [Theory]
    [MemberData(nameof(KtoCases))]
    public void Compute_Kto_EstimatesTheDivergenceOfTheBatch(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(KtoFile), index);
        double[] answers = [.. expected.Numbers("policy_chosen_logps"), .. expected.Numbers("policy_rejected_logps")];
        double[] references = [.. expected.Numbers("ref_chosen_logps"), .. expected.Numbers("ref_rejected_logps")];
        var liked = expected.Numbers("policy_chosen_logps").Length;
        var policy = new AnswerPolicy(batch => IsContrast(batch) ? expected.Numbers("policy_KL_logps") : answers);
        var reference = new Reference(batch => IsContrast(batch) ? expected.Numbers("ref_KL_logps") : references);
        var options = new PreferenceOptions
        {
            LossTypes = [expected.Text("loss_type")],
            Beta = expected.Number("beta"),
            DesirableWeight = expected.Number("desirable_weight"),
            UndesirableWeight = expected.Number("undesirable_weight"),
        };
        var batch = Verdicts(answers.Length, liked, expected.Flag("calculate_KL") ? expected.Numbers("policy_KL_logps").Length : 0);
        var metrics = Check(new UnpairedObjective(policy, reference, options), policy, batch, expected, name,
            "grad_chosen", "grad_rejected");

        if (expected.Text("loss_type") == "kto")
            LossVectors.Near(expected.Number("kl"), metrics[MetricNames.Divergence], Tolerance, name + " kl");
        LossVectors.Near(expected.Numbers("chosen_rewards").Average(), metrics[MetricNames.ChosenReward],
            Tolerance, name + " rewards/chosen");
        LossVectors.Near(expected.Numbers("rejected_rewards").Average(), metrics[MetricNames.RejectedReward],
            Tolerance, name + " rewards/rejected");
        LossVectors.Near(
            expected.Numbers("chosen_rewards").Average() - expected.Numbers("rejected_rewards").Average(),
            metrics[MetricNames.RewardMargin], Tolerance, name + " rewards/margins");
        LossVectors.Near(expected.Numbers("policy_chosen_logps").Average(), metrics[MetricNames.ChosenLogps],
            Tolerance, name + " logps/chosen");
        LossVectors.Near(expected.Numbers("policy_rejected_logps").Average(), metrics[MetricNames.RejectedLogps],
            Tolerance, name + " logps/rejected");
    }

    [Fact]
    public void Compute_BcoStepAfterStep_KeepsTheMeanOfRewards()
    {
        using var scope = new TensorScope();
        var cases = LossVectors.Read(BcoFile)["cases"]!.AsArray();
        var current = cases[0]!.AsObject();
        var policy = new AnswerPolicy(_ => [.. current.Numbers("policy_chosen_logps"), .. current.Numbers("policy_rejected_logps")]);
        var reference = new Reference(_ => [.. current.Numbers("ref_chosen_logps"), .. current.Numbers("ref_rejected_logps")]);
        UnpairedObjective? objective = null;
        foreach (var node in cases)
        {
            current = node!.AsObject();
            if (objective is null || current.Number("batch_index") == 0)
                objective = new UnpairedObjective(policy, reference,
                    new PreferenceOptions { LossTypes = ["bco"], Beta = current.Number("beta") });
            var liked = current.Numbers("policy_chosen_logps").Length;
            var batch = Verdicts(liked + current.Numbers("policy_rejected_logps").Length, liked, 0);
            var name = $"bco {current.Number("batch_index")}";
            var metrics = Check(objective, policy, batch, current, name, "grad_chosen", "grad_rejected", LossVectors.Metric);
            LossVectors.Near(current.Number("delta"), metrics[MetricNames.RewardMean], LossVectors.Metric, name + " delta");
        }
    }

    [Fact]
    public void Compute_BcoPairStepAfterStep_KeepsTheMeanOfRewards()
    {
        using var scope = new TensorScope();
        var file = LossVectors.Read(PairFile);
        double[] answers = [], references = [];
        var policy = new AnswerPolicy(_ => answers);
        var reference = new Reference(_ => references);
        PreferenceObjective? objective = null;
        foreach (var node in file["cases"]!.AsArray().Where(node => node!["batch_index"] is not null))
        {
            var expected = node!.AsObject();
            var inputs = file["inputs"]![expected.Text("inputs")]!;
            var chosen = inputs.Numbers("chosen_logps").Select(logp => logp + expected.Number("chosen_logps_shift"));
            answers = Interleave([.. chosen], inputs.Numbers("rejected_logps"));
            references = Interleave(inputs.Numbers("ref_chosen_logps"), inputs.Numbers("ref_rejected_logps"));
            if (answers.Any(logp => logp >= 0))
                continue; // No probability is above 1: the vectors do not ask, this policy must.
            if (objective is null || expected.Number("batch_index") == 0)
                objective = new PreferenceObjective(policy, reference,
                    new PreferenceOptions { LossTypes = [expected.Text("loss_type")], Beta = expected.Number("beta") });
            var name = $"bco_pair {expected.Text("inputs")} {expected.Number("beta")} {expected.Number("batch_index")}";
            Check(objective, policy, Answers(answers.Length), expected, name, "grad_chosen_logps", "grad_rejected_logps",
                LossVectors.Metric, interleaved: true);
        }
        Assert.NotNull(objective);
    }

    [Theory]
    [MemberData(nameof(CpoCases))]
    public void Compute_Cpo_GivesLossRewardsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(CpoFile), index);
        var answers = Interleave(expected.Numbers("chosen_logps"), expected.Numbers("rejected_logps"));
        var policy = new AnswerPolicy(_ => answers);
        var options = new PreferenceOptions
        {
            LossTypes = [expected.Text("loss_type")],
            Beta = expected.Number("beta"),
            LabelSmoothing = expected.Number("label_smoothing"),
            SimpoGamma = expected.Number("simpo_gamma"),
            AlphaPoAlpha = expected.Number("alphapo_alpha"),
            CpoAlpha = 0,
        };
        var metrics = Check(new ContrastiveObjective(policy, options), policy, Answers(answers.Length), expected, name, "grad_chosen",
            "grad_rejected", interleaved: true);
        LossVectors.Near(expected.Numbers("chosen_rewards").Average(), metrics[MetricNames.ChosenReward],
            Tolerance, name + " rewards/chosen");
        LossVectors.Near(expected.Numbers("rejected_rewards").Average(), metrics[MetricNames.RejectedReward],
            Tolerance, name + " rewards/rejected");
    }

    private static Dictionary<string, double> Check(
        IObjective objective, AnswerPolicy policy, TokenBatch batch, JsonObject expected, string name, string chosen, string rejected,
        double tolerance = Tolerance, bool interleaved = false)
    {
        using var tape = new Tape();
        var result = ObjectiveRun.Alone(objective, tape, batch);
        tape.Backward(result.Loss);
        objective.Stepped(1);
        LossVectors.Near(expected.Number("loss"), result.Loss.Value.Item(), tolerance, name + " loss");
        var (first, second) = (expected.Numbers(chosen), expected.Numbers(rejected));
        LossVectors.Near(interleaved ? Interleave(first, second) : [.. first, .. second], policy.Gradients(),
            tolerance, name + " gradients");
        return result.Metrics.Means().ToDictionary(metric => metric.Name, metric => metric.Value);
    }

    private static bool IsContrast(TokenBatch batch) => batch.Desirable.Length == 0;

    private static TokenBatch Answers(int count) => TokenBatch.Concatenate([.. Enumerable.Range(0, count).Select(AnswerPolicy.Row)]);

    private static TokenBatch Verdicts(int count, int liked, int contrasts)
    {
        var rows = Answers(count);
        return new TokenBatch(rows.TokenIds, rows.LossMask, rows.Layout, rows.ExampleIds, rows.Completions)
        {
            Desirable = [.. Enumerable.Range(0, count).Select(i => i < liked)],
            KlBatch = contrasts == 0 ? null : Answers(contrasts),
        };
    }

    private static double[] Interleave(double[] first, double[] second) =>
    [
        .. first.Zip(second, (a, b) => new[] { a, b }).SelectMany(pair => pair),
    ];

    private sealed class Reference(Func<TokenBatch, double[]> logps) : IReferenceLogps
    {
        public Tensor TokenLogps(TokenBatch batch) => Tensor.From(logps(batch));
    }
}
