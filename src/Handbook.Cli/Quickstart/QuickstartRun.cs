using System.Globalization;
using Handbook.Recipes;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Quickstart;
using Handbook.Training.Reports;
using Handbook.Training.Runs;

namespace Handbook.Cli.Quickstart;

/// <summary>A stage: what it is called, what it trains for, and what a reader should know of it.</summary>
internal sealed record StagePlan(string Name, TrainingTask Task, string Title, string Description);

/// <summary>Makes data and tokenizer, trains one stage after the other and examines each stage's model.</summary>
/// <param name="folder">Where everything is written.</param>
/// <param name="progress">Who watches.</param>
/// <param name="clock">Where time comes from.</param>
internal sealed class QuickstartRun(QuickstartFolder folder, ITrainingProgress progress, TimeProvider clock)
{
    /// <summary>How much data is made.</summary>
    public QuickstartDataOptions Data { get; init; } = new();

    /// <summary>Keys in place of the recipes' own, for every stage: <c>--max_steps=2</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Stages in order; a later one starts from the model of the one before.</summary>
    public static IReadOnlyList<StagePlan> Plan { get; } =
    [
        new("cpt", TrainingTask.Cpt, "Continued pretraining",
            "The model reads about people, sums, words and small stories as plain text. It never sees a question."),
        new("sft", TrainingTask.Sft, "Supervised fine-tuning",
            "The model learns to answer questions about three quarters of that world. Nothing is asked about the rest before the exam."),
    ];

    /// <summary>Runs everything; null when it was asked to stop, in which case the stage has saved a checkpoint.</summary>
    public QuickstartResult? Execute(CancellationToken stop)
    {
        OutputFolder.CheckWritable(folder.Root);
        var data = QuickstartData.Write(folder.Data, Data);
        var tokenizer = QuickstartTokenizer.Train(folder.Tokenizer, data.TrainingTexts);
        progress.Note(string.Create(CultureInfo.InvariantCulture,
            $"made {data.Documents.Count} documents, {data.Questions.Train.Count} questions to train on, {data.Questions.Test.Count} held out, and a tokenizer of {tokenizer.VocabSize} tokens"));
        var stages = new List<QuickstartStage>();
        var parameterCount = 0L;
        foreach (var plan in Plan)
        {
            var options = Read(plan);
            var result = new TrainingRun(options, progress, clock).Execute(stop);
            if (result.Stopped)
                return null;
            var (exam, size) = Examine(plan, data.Questions.Test, stop);
            stages.Add(new QuickstartStage(RunStage.Of(plan.Title, plan.Description, options, result.State.LogHistory, Facts(result.State)), exam));
            parameterCount = size;
        }
        return new QuickstartResult(new QuickstartReport(stages), parameterCount);
    }

    private (QuickstartExam Exam, long ParameterCount) Examine(StagePlan plan, IReadOnlyList<QuickstartQuestion> questions, CancellationToken stop)
    {
        var answers = QuickstartResponder.Ask(
            folder.Model(plan.Name), [.. questions.Select(question => question.Text)], $"asking {plan.Name}", progress, stop);
        var exam = QuickstartExam.Of(plan.Name, questions, answers.Said);
        progress.Note(string.Create(CultureInfo.InvariantCulture, $"{plan.Name}: {exam.Accuracy:0.0 %} of {questions.Count} held-out questions answered exactly"));
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
    private RunOptions Read(StagePlan plan)
    {
        List<string> arguments = [folder.WriteRecipe(plan.Name), .. Overrides];
        if (folder.Root != QuickstartFolder.Default)
        {
            arguments.Add($"--output_dir={folder.Model(plan.Name)}");
            arguments.Add($"--dataset_name={Path.Combine(folder.Data, plan.Task == TrainingTask.Cpt ? "corpus" : "questions")}");
            arguments.Add(plan.Task == TrainingTask.Cpt ? $"--tokenizer_name_or_path={folder.Tokenizer}" : $"--model_name_or_path={folder.Model(Plan[0].Name)}");
        }
        return RecipeReader.Read(RecipeSource.Load(arguments), plan.Task).Options;
    }
}

/// <summary>What the quickstart found.</summary>
/// <param name="Report">Exams of all stages.</param>
/// <param name="ParameterCount">Weights of the model.</param>
internal sealed record QuickstartResult(QuickstartReport Report, long ParameterCount);
