using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives.Golden;

/// <summary>
/// The whole preference objective on given logits: loss, metrics and the gradient of every logit, against DPOTrainer at HEAD
/// (mixtures, divergences, LD-DPO, WPO) and at v0.12.2 and v0.19.1 (RPO, WPO with its limit).
/// </summary>
[Trait("Category", "Golden")]
public sealed class PairLogitsTests
{
    private const string HeadFile = "dpo_token_level_head.json";
    private const string OlderFile = "dpo_rpo_wpo_token_level.json";

    /// <summary>The loop counts them.</summary>
    private const string TokenCount = "num_tokens";

    public static TheoryData<int, string> HeadCases() => LossVectors.Cases(
        HeadFile, "loss_types", "loss_weights", "beta", "label_smoothing", "f_divergence_type", "f_alpha_divergence_coef", "ld_alpha",
        "use_weighting", "aux_loss");

    public static TheoryData<int, string> OlderCases() =>
        LossVectors.Cases(OlderFile, "source", "loss_type", "rpo_alpha", "use_weighting", "beta");

    [Theory]
    [MemberData(nameof(HeadCases))]
    public void Compute_LogitsOfHead_GivesLossMetricsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var file = LossVectors.Read(HeadFile);
        var expected = LossVectors.Case(file, index);
        var isSingle = expected.Text("dtype") == "float32";
        var dtype = isSingle ? DType.Float32 : DType.Float64;
        var rows = PaddedLogits.WithCompletionMask(file);
        var router = expected["aux_loss"] is null
            ? null
            : new RouterAuxLoss(LossVectors.Leaf([expected.Number("aux_loss")]), expected.Number("router_aux_loss_coef"));
        var policy = new LogitsPolicy(rows.Tensor(file["logits"]!, dtype), router);
        var reference = new LiveReference(new LogitsPolicy(rows.Tensor(file["ref_logits"]!, dtype)));
        string[] losses = [.. expected["loss_types"]!.AsArray().Select(type => (string)type!)];
        var options = new PreferenceOptions
        {
            LossTypes = losses,
            LossWeights = expected.Numbers("loss_weights"),
            Beta = expected.Number("beta"),
            LabelSmoothing = expected.Number("label_smoothing"),
            FDivergence = expected.Text("f_divergence_type"),
            FAlphaDivergenceCoefficient = expected.NumberOr("f_alpha_divergence_coef", 1),
            LdAlpha = expected["ld_alpha"]?.GetValue<double>(),
            UseWeighting = expected.Flag("use_weighting"),
            DiscopopTau = expected.NumberOr("discopop_tau", 0.05),
            RunningBaseline = false,
        };
        // TRL takes the logarithms of exo_pair's smoothing in float32.
        var tolerance = isSingle ? LossVectors.Single : losses.Contains("exo_pair") ? LossVectors.Metric : LossVectors.Double;
        Check(new PreferenceObjective(policy, reference, options), policy, rows, expected, tolerance, name, _ => true);
        if (router is not null)
            LossVectors.Near(expected.Number("router_aux_loss_coef"), router.Value.GradientValues().Single(), tolerance,
                name + " gradient of the router's loss");
    }

    [Theory]
    [MemberData(nameof(OlderCases))]
    public void Compute_LogitsOfOlderVersions_GivesLossMetricsAndGradients(int index, string name)
    {
        using var scope = new TensorScope();
        var expected = LossVectors.Case(LossVectors.Read(OlderFile), index);
        var rows = PaddedLogits.WithPromptLengths(expected);
        var policy = new LogitsPolicy(rows.Tensor(expected["logits"]!, DType.Float64));
        // Their IPO is given averages and reports them; ours is given sums, as at HEAD.
        var isAveraged = expected.Text("loss_type") == "ipo";
        var (chosen, rejected) = (expected.Numbers("ref_chosen_logps"), expected.Numbers("ref_rejected_logps"));
        var reference = new GivenReference([.. Enumerable.Range(0, rows.PairCount).SelectMany(pair => new[]
        {
            chosen[pair] * (isAveraged ? rows.CompletionLength(pair) : 1),
            rejected[pair] * (isAveraged ? rows.CompletionLength(pair + rows.PairCount) : 1),
        })]);
        var options = new PreferenceOptions
        {
            LossTypes = [expected.Text("loss_type")],
            Beta = expected.Number("beta"),
            RpoAlpha = expected["rpo_alpha"]?.GetValue<double>(),
            UseWeighting = expected.Flag("use_weighting"),
            WeightLimit = 1,
        };
        Check(
            new PreferenceObjective(policy, reference, options), policy, rows, expected, LossVectors.Double, name,
            metric => !isAveraged
                || !(metric.StartsWith("rewards/", StringComparison.Ordinal) || metric.StartsWith("logps/", StringComparison.Ordinal)));
    }

    private static void Check(
        PreferenceObjective objective, LogitsPolicy policy, PaddedLogits rows, JsonObject expected, double tolerance, string name,
        Func<string, bool> reported)
    {
        var batch = rows.Batch();
        using var tape = new Tape();
        var result = ObjectiveRun.Alone(objective, tape, batch);
        tape.Backward(result.Loss);
        LossVectors.Near(expected.Number("loss"), result.Loss.Value.Item(), tolerance, name + " loss");
        LossVectors.Near([.. rows.Flatten(expected["grad_logits"]!).SelectMany(row => row)], policy.Logits.GradientValues(),
            tolerance, name + " grad_logits");
        var metrics = result.Metrics.Means().ToDictionary(metric => metric.Name, metric => metric.Value);
        foreach (var (key, value) in expected["metrics"]!.AsObject().Where(metric => metric.Key != TokenCount && reported(metric.Key)))
            LossVectors.Near(value!.GetValue<double>(), metrics[key], Math.Max(tolerance, LossVectors.Metric), $"{name} {key}");
    }
}
