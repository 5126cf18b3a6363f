using System.Globalization;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Reports;
using Handbook.Sampling;
using Handbook.Sampling.Scoring;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Quickstart;

/// <summary>A stage of the quickstart.</summary>
/// <param name="Name">What it is for, its recipe's name and its folder's.</param>
/// <param name="Title">Its heading in the report.</param>
/// <param name="Description">What a reader should know of it.</param>
/// <param name="Paths">The recipe's keys that name files of the quickstart, with the paths below its folder.</param>
public sealed record StagePlan(string Name, string Title, string Description, params (string Key, string Path)[] Paths);

/// <summary>Makes data and tokenizer, trains one stage after the other and examines each stage's model.</summary>
/// <param name="folder">Where everything is written.</param>
/// <param name="progress">Who watches.</param>
/// <param name="clock">Where time comes from.</param>
public sealed class QuickstartRun(QuickstartFolder folder, ITrainingProgress progress, TimeProvider clock)
{
    /// <summary>How much data is made.</summary>
    public QuickstartDataOptions Data { get; init; } = new();

    /// <summary>Keys in place of the recipes' own, for every stage that trains: <c>--max_steps=2</c>.</summary>
    public IReadOnlyList<string> TrainingOverrides { get; init; } = [];

    /// <summary>The same for sampling.</summary>
    public IReadOnlyList<string> SamplingOverrides { get; init; } = [];

    /// <summary>Stages in order; a later one starts from the model of the one before.</summary>
    public static IReadOnlyList<StagePlan> Plan { get; } =
    [
        new("cpt", "Continued pretraining",
            "The model reads about people, sums, words and small stories as plain text. It never sees a question.",
            ("tokenizer_name_or_path", "tokenizer"), ("dataset_name", "data/corpus")),
        new("sft", "Supervised fine-tuning",
            "The model learns to answer questions about three quarters of that world. Nothing is asked about the rest before the exam. A "
                + "fifth of the answers ends politely.",
            ("model_name_or_path", "cpt"), ("dataset_name", "data/questions")),
        new("reward", "Reward model",
            "A copy of the model learns to score answers from pairs: a right answer is better "
                + "than a wrong one, a polite right one better than a plain one.",
            ("model_name_or_path", "sft"), ("dataset_name", "data/preferences")),
        new("sample", "Rejection sampling",
            "The fine-tuned model answers each question of training several times; the reward model picks the best and the worst.",
            ("model_name_or_path", "sft"), ("dataset_name", "data/questions"), ("reward_funcs", "reward")),
        new("dpo", "Direct preference optimization",
            "The fine-tuned model learns from those pairs of its own answers which of them people like.",
            ("model_name_or_path", "sft"), ("dataset_name", "sample/preferences.jsonl")),
    ];

    /// <summary>Runs everything; null when it was asked to stop, in which case the stage has saved a checkpoint.</summary>
    public async Task<QuickstartResult?> ExecuteAsync(CancellationToken stop)
    {
        using var claim = OutputFolder.Claim(folder.Root);
        folder.Claim(Plan.Select(stage => stage.Name));
        var data = QuickstartData.Write(folder.Data, Data);
        var tokenizer = QuickstartTokenizer.Train(folder.Tokenizer, data.TrainingTexts);
        progress.Note(string.Create(CultureInfo.InvariantCulture,
            $"made {data.Documents.Count} documents, {data.Questions.Train.Count} questions to train on, {data.Questions.Test.Count} held "
                + $"out, and a tokenizer of {tokenizer.VocabSize} tokens"));
        var stages = new List<QuickstartStage>();
        var parameterCount = 0L;
        foreach (var plan in Plan)
        {
            if (plan.Name == RecipeTasks.Sample)
            {
                stages.Add(new QuickstartStage(await SampleAsync(plan, stop).ConfigureAwait(false), null));
                continue;
            }
            var options = RecipeReader.Read(RecipeSource.Load(Arguments(plan)), plan.Name).Options;
            var result = Train(options, plan, stop);
            if (result.Stopped)
                return null;
            var section = RunStage.Of(plan.Title, plan.Description, options, result.State.LogHistory, Facts(result.State));
            var answers = TrainingMethod.Find(plan.Name)?.IsClassifier == true ? null : Examine(plan, data.Questions.Test, stop);
            stages.Add(new QuickstartStage(section, answers?.Exam));
            parameterCount = answers?.ParameterCount ?? parameterCount;
        }
        return new QuickstartResult(new QuickstartReport(stages), parameterCount);
    }

    private RunResult Train(RunOptions options, StagePlan plan, CancellationToken stop)
    {
        try
        {
            return new TrainingRun(options, RunPages.All, progress, clock).Execute(stop);
        }
        catch (AnotherRunException other)
        {
            // The user named no output_dir: what helps is an option of this command.
            throw new UserErrorException(
                $"--output {folder.Root}: {folder.Model(plan.Name)} is of another quickstart: {other.Differences}. Add --fresh to begin "
                    + "anew, or name another --output.", other);
        }
    }

    private async Task<ReportStage> SampleAsync(StagePlan plan, CancellationToken stop)
    {
        var options = SampleRecipe.Read(RecipeSource.Load(Arguments(plan))).Options;
        var result = await new SamplingRun(options, progress, clock).ExecuteAsync(stop).ConfigureAwait(false);
        return new ReportStage
        {
            Title = plan.Title, Description = plan.Description, Facts = result.Report.Facts, Blocks = result.Report.ToPage().Overview,
        };
    }

    private (QuickstartExam Exam, long ParameterCount)? Examine(
        StagePlan plan, IReadOnlyList<QuickstartQuestion> questions, CancellationToken stop)
    {
        var answers = QuickstartResponder.Ask(
            folder.Model(plan.Name), [.. questions.Select(question => question.Text)], $"asking {plan.Name}", progress, stop);
        var exam = QuickstartExam.Of(plan.Name, questions, answers.Said);
        progress.Note(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Name}: {exam.Accuracy:0.0 %} of {questions.Count} held-out questions "
                + $"answered exactly, {exam.Politeness:0.0 %} politely"));
        return (exam, answers.ParameterCount);
    }

    private static IReadOnlyList<(string Name, string Value)> Facts(TrainerState state)
    {
        var seconds = state.LogHistory.LastOrDefault(row => row[MetricNames.TrainRuntime] is not null)?[MetricNames.TrainRuntime] ?? 0;
        return
        [
            ("steps", state.GlobalStep.ToString(CultureInfo.InvariantCulture)),
            ("tokens", ProgressText.Count(state.NumInputTokensSeen)),
            ("training time", ProgressText.Time(TimeSpan.FromSeconds(seconds))),
        ];
    }

    // The recipes name the default folder; another one is put in its place as a user would do it on the command line.
    private List<string> Arguments(StagePlan plan)
    {
        List<string> arguments =
        [
            folder.WriteRecipe(plan.Name), .. plan.Name == RecipeTasks.Sample ? SamplingOverrides : TrainingOverrides,
        ];
        if (folder.Root == QuickstartFolder.Default)
            return arguments;
        foreach (var (key, path) in plan.Paths.Append(("output_dir", plan.Name)))
            arguments.Add($"--{key}={(key == "reward_funcs" ? ScorerOptions.RewardModelPrefix : "")}{Path.Combine(folder.Root, path)}");
        return arguments;
    }
}

/// <summary>What the quickstart found.</summary>
/// <param name="Report">Exams of all stages.</param>
/// <param name="ParameterCount">Weights of the model.</param>
public sealed record QuickstartResult(QuickstartReport Report, long ParameterCount);
