using System.Globalization;
using System.Text;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.ModelCards;

/// <summary>
/// The <c>README.md</c> of a trained model, as the original writes it: front matter for the hub, results on the evaluation set,
/// hyperparameters, the training results table, versions.
/// </summary>
public sealed record ModelCard
{
    /// <summary>The file's name.</summary>
    public const string FileName = "README.md";

    /// <summary>The model's name: the output folder's, or the hub repository's.</summary>
    public required string ModelName { get; init; }

    /// <summary>
    /// Hub id or folder of the model that was trained on; null when weights were random. Of a folder only the last part is shown.
    /// </summary>
    public string? BaseModel { get; init; }

    /// <summary>Whether the folder holds an adapter alone.</summary>
    public bool IsAdapter { get; init; }

    /// <summary>What the model is for, in the hub's words.</summary>
    public string PipelineTag { get; init; } = "text-generation";

    /// <summary>The base model's licence, when it is known.</summary>
    public string? License { get; init; }

    /// <summary>Datasets in recipe order: hub ids, files or folders. Of paths only the last part is shown.</summary>
    public IReadOnlyList<string> Datasets { get; init; } = [];

    /// <summary>Tags for the hub, such as the training method's name.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The recipe's hyperparameters in the original's order and names.</summary>
    public IReadOnlyList<(string Name, string Value)> Hyperparameters { get; init; } = [];

    /// <summary>Facts about the data: examples, tokens, packing, label tokens.</summary>
    public IReadOnlyList<(string Name, string Value)> DataFacts { get; init; } = [];

    /// <summary>Every logged row of the run; evaluation rows make the results table.</summary>
    public IReadOnlyList<MetricsRow> LogHistory { get; init; } = [];

    /// <summary>Names and versions of what trained it.</summary>
    public IReadOnlyList<(string Name, string Version)> Versions { get; init; } = [];

    /// <summary>Writes the card into a model's folder.</summary>
    public void Save(string folder) => AtomicFile.WriteText(Path.Combine(folder, FileName), ToMarkdown());

    /// <summary>The card's text.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        AppendFrontMatter(text);
        text.Append("\n<!-- Written by handbook from the run itself. -->\n\n");
        text.Append(CultureInfo.InvariantCulture, $"# {CardText.Of(ModelName)}\n\n");
        text.Append(BaseModel is null
            ? "This model was trained from scratch" : $"This {(IsAdapter ? "is an adapter of" : "model is a fine-tuned version of")} "
            + $"{Link(BaseModel)}");
        text.Append(CultureInfo.InvariantCulture, $" on {DatasetSentence()}.\n");
        var results = ResultsTable.FinalEvaluation(LogHistory);
        if (results.Count > 0)
        {
            text.Append("It achieves the following results on the evaluation set:\n");
            AppendList(text, results);
        }
        if (DataFacts.Count > 0)
        {
            text.Append("\n## Training and evaluation data\n\n");
            AppendList(text, DataFacts);
        }
        text.Append(
            "\n## Training procedure\n\n### Training hyperparameters\n\nThe following hyperparameters were used during training:\n");
        AppendList(text, Hyperparameters);
        if (ResultsTable.Markdown(LogHistory) is { Length: > 0 } table)
            text.Append("\n### Training results\n\n").Append(table);
        text.Append("\n### Framework versions\n\n");
        foreach (var (name, version) in Versions)
            text.Append(CultureInfo.InvariantCulture, $"- {CardText.Of(name)} {CardText.Of(version)}\n");
        return text.ToString();
    }

    private void AppendFrontMatter(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"---\nlibrary_name: {(IsAdapter ? "peft" : "transformers")}\n");
        text.Append(CultureInfo.InvariantCulture, $"pipeline_tag: {PipelineTag}\n");
        if (License is not null)
            text.Append(CultureInfo.InvariantCulture, $"license: {Scalar(License)}\n");
        if (BaseModel is not null)
            text.Append(CultureInfo.InvariantCulture, $"base_model: {Scalar(ShownName(BaseModel))}\n");
        AppendYamlList(text, "datasets", [.. Datasets.Select(ShownName).Distinct(StringComparer.Ordinal)]);
        AppendYamlList(text, "tags", [.. Tags.Concat(["alignment-handbook", "generated_from_trainer"]).Distinct(StringComparer.Ordinal)]);
        text.Append(CultureInfo.InvariantCulture, $"model-index:\n- name: {Scalar(ModelName)}\n  results: []\n---\n");
    }

    private string DatasetSentence() => Datasets.Count switch
    {
        0 => "an unknown dataset",
        1 => $"the {Link(Datasets[0])} dataset",
        var count =>
            string.Join(", ", Datasets.Take(count - 1).Select(name => $"the {Link(name)}")) + $" and the {Link(Datasets[^1])} datasets",
    };

    private static void AppendList(StringBuilder text, IEnumerable<(string Name, string Value)> entries)
    {
        foreach (var (name, value) in entries)
            text.Append(CultureInfo.InvariantCulture, $"- {CardText.Of(name)}: {CardText.Of(value)}\n");
    }

    private static void AppendYamlList(StringBuilder text, string key, IReadOnlyList<string> entries)
    {
        if (entries.Count == 0)
            return;
        text.Append(CultureInfo.InvariantCulture, $"{key}:\n");
        foreach (var entry in entries)
            text.Append(CultureInfo.InvariantCulture, $"- {Scalar(entry)}\n");
    }

    // A card is published: a path of the machine that trained it is nobody's business.
    private static string ShownName(string nameOrPath) =>
        IsHubId(nameOrPath) ? nameOrPath : Path.GetFileName(nameOrPath.TrimEnd('/', '\\'));

    private static string Link(string nameOrPath) =>
        IsHubId(nameOrPath) ? $"[{nameOrPath}](https://huggingface.co/{nameOrPath})" : CardText.Of(ShownName(nameOrPath));

    private static bool IsHubId(string name) =>
        name.Split('/') is [{ Length: > 0 } owner, { Length: > 0 } repository]
        && owner.All(IsOfHub) && repository.All(IsOfHub) && !owner.StartsWith('.') && !owner.StartsWith('~')
        && Path.GetExtension(repository) is not (".jsonl" or ".json" or ".txt" or ".csv" or ".parquet")
        && !Path.Exists(name);

    private static bool IsOfHub(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.';

    private static string Scalar(string value) =>
        value.Length > 0 && char.IsAsciiLetter(value[0]) && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '/' or '.')
        && value is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? value
            : PythonJson.WriteLine(value);
}
