using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Handbook.Reports;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Planning;
using Handbook.Training.Runs;

namespace Handbook.Sampling;

/// <summary>How sampling and training take turns.</summary>
/// <param name="Rounds">How often.</param>
/// <param name="PromptsPerRound">Prompts of each round, in order; null: every round asks all of them, with seeds of its own.</param>
/// <param name="Train">The training run of a round, from the policy's folder, the round's sets and the folder of the new model.</param>
public sealed record RoundPlan(int Rounds, int? PromptsPerRound, Func<string, SampledSets, string, RunOptions> Train);

/// <summary>
/// Sample, train, sample from what was trained ... Each round has a folder of its own, and everything in it is taken up where it
/// ended: completions, scores, checkpoints of the training run, finished rounds.
/// </summary>
public sealed class SamplingRounds(SampleOptions options, RoundPlan plan, ITrainingProgress progress, TimeProvider clock)
{
    private const string RecordName = "round.json";

    /// <summary>Runs the rounds; null when a training run was asked to stop, in which case it has saved a checkpoint.</summary>
    /// <exception cref="UserErrorException">A mistake in a recipe, the data or the files.</exception>
    public async Task<RoundsResult?> ExecuteAsync(CancellationToken stop)
    {
        using var claim = OutputFolder.Claim(options.OutputDirectory);
        claim.RefuseStrangers(Path.GetFileName(Folder(1)), RunReport.FileName);
        // Mistakes in the recipe of the training run show before hours of sampling.
        plan.Train(options.Policy.ModelFolder!, new SampledSets(Folder(1)), Model(1));
        CheckPrompts();
        var policy = options.Policy;
        var results = new List<SamplingResult>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            progress.Note(FormattableString.Invariant($"round {round} of {plan.Rounds}"));
            var result = await new SamplingRun(Round(round, policy), progress, clock).ExecuteAsync(stop).ConfigureAwait(false);
            results.Add(result);
            if (!Train(round, policy, result, stop))
                return null;
            policy = policy with { ModelFolder = Model(round), Tokenizer = policy.Tokenizer with { NameOrPath = null } };
        }
        var finished = new RoundsResult(results, Model(plan.Rounds), Path.Combine(options.OutputDirectory, RunReport.FileName));
        RoundsReport.Of(finished, options).Save(finished.Report);
        return finished;
    }

    private string Folder(int round) => Path.Combine(options.OutputDirectory, FormattableString.Invariant($"round-{round}"));

    private string Model(int round) => Path.Combine(Folder(round), "model");

    private SampleOptions Round(int round, PolicyOptions policy) => options with
    {
        Policy = policy,
        OutputDirectory = Folder(round),
        Seed = (int)(Seeds.Of((ulong)options.Seed, round) & int.MaxValue),
        Prompts = plan.PromptsPerRound is not { } count
            ? options.Prompts : options.Prompts with { Skip = (round - 1) * count, MaxPrompts = count },
    };

    /// <summary>Prompts that run out show at once, too.</summary>
    private void CheckPrompts()
    {
        if (plan.PromptsPerRound is not { } count)
            return;
        var there = PromptReader.Read(options.Prompts with { MaxPrompts = plan.Rounds * count }).Count;
        if (there <= (plan.Rounds - 1) * count)
            throw new UserErrorException(FormattableString.Invariant(
                $"prompts_per_round: {plan.Rounds} rounds of {count} need more than the {there} prompts of {options.Prompts.Dataset}."));
    }

    /// <summary>True when the round's model is there.</summary>
    private bool Train(int round, PolicyOptions policy, SamplingResult sampled, CancellationToken stop)
    {
        var run = plan.Train(policy.ModelFolder!, sampled.Sets, Model(round));
        var data = run.Data.Sources[0].Name;
        if (new FileInfo(data).Length == 0)
            throw new UserErrorException($"{data}: round {round} gave nothing to train on: all answers of a prompt score the same, or "
                + "none reaches what is asked for.");
        var key = Journal.Key(policy.Identity(), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(data))),
            PythonJson.WriteLine(run.RecipeWithoutPaths));
        var record = Path.Combine(Folder(round), RecordName);
        var known = ReadRecord(record);
        if (known is not null && known.Value.Training != key)
            throw new UserErrorException(
                $"{Model(round)}: was trained under another recipe or on other data; remove {Folder(round)}, or name another output_dir.");
        if (known?.IsFinished == true)
        {
            progress.Note(FormattableString.Invariant($"round {round}: trained before"));
            return true;
        }
        WriteRecord(record, key, isFinished: false);
        if (new TrainingRun(run, RunPages.All, progress, clock, RunForecast.Instance).Execute(stop).Stopped)
            return false;
        WriteRecord(record, key, isFinished: true);
        return true;
    }

    private static (string Training, bool IsFinished)? ReadRecord(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            var record = PythonJson.Read(OrdinaryFile.ReadText(path))!.AsObject();
            return (record["training"]!.GetValue<string>(), record["finished"]!.GetValue<bool>());
        }
        catch (Exception error) when (BrokenJson.Caused(error))
        {
            throw new UserErrorException(
                $"{path}: is not a round's record: {BrokenJson.Explain(error)}; move it away to train the round again.", error);
        }
    }

    private static void WriteRecord(string path, string key, bool isFinished) =>
        AtomicFile.WriteText(path,
            PythonJson.Write(new JsonObject { ["training"] = key, ["finished"] = isFinished }, indent: 2, sortKeys: false));
}

/// <summary>What the rounds ended with.</summary>
/// <param name="Rounds">The sampling of each.</param>
/// <param name="Model">The last model's folder.</param>
/// <param name="Report">The report's path.</param>
public sealed record RoundsResult(IReadOnlyList<SamplingResult> Rounds, string Model, string Report);
