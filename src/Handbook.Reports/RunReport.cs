namespace Handbook.Reports;

/// <summary>What <c>report.html</c> shows: headline figures, then one section for every stage.</summary>
public sealed record RunReport
{
    /// <summary>The file's name inside an output folder.</summary>
    public const string FileName = "report.html";

    /// <summary>The page's heading.</summary>
    public required string Title { get; init; }

    /// <summary>One sentence under it.</summary>
    public string Subtitle { get; init; } = "";

    /// <summary>Figures that matter most, shown large.</summary>
    public IReadOnlyList<Headline> Headlines { get; init; } = [];

    /// <summary>Blocks above the stages, such as a comparison of them.</summary>
    public IReadOnlyList<ReportBlock> Overview { get; init; } = [];

    /// <summary>Stages in the order in which they ran.</summary>
    public IReadOnlyList<ReportStage> Stages { get; init; } = [];

    /// <summary>The last line: versions, machine, date.</summary>
    public string Footer { get; init; } = "";

    /// <summary>Writes the page, whole or not at all.</summary>
    public void Save(string path) => AtomicFile.WriteText(path, HtmlReport.Render(this));
}

/// <summary>A figure shown large.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Value">The figure with its unit.</param>
/// <param name="Detail">A few words under it: what it was before.</param>
public sealed record Headline(string Label, string Value, string Detail);

/// <summary>One stage of a pipeline, or the only one of a run.</summary>
public sealed record ReportStage
{
    /// <summary>The stage's heading.</summary>
    public required string Title { get; init; }

    /// <summary>One or two sentences about what happens in it.</summary>
    public string Description { get; init; } = "";

    /// <summary>Names and values in small print: data, hyperparameters.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    /// <summary>Charts, tables and examples.</summary>
    public IReadOnlyList<ReportBlock> Blocks { get; init; } = [];
}

/// <summary>A part of a stage's section.</summary>
public abstract record ReportBlock
{
    /// <summary>The block's heading.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence under the heading; empty for none.</summary>
    public string Note { get; init; } = "";
}

/// <summary>A curve.</summary>
/// <param name="Name">Shown in the legend.</param>
/// <param name="Points">Horizontal and vertical values; points that are not finite are left out.</param>
/// <param name="IsSparse">Few points, each of which is marked (evaluations).</param>
public sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points, bool IsSparse = false);

/// <summary>Curves over a common axis.</summary>
public sealed record LineChart : ReportBlock
{
    /// <summary>The curves; the first four have colours of their own.</summary>
    public required IReadOnlyList<Series> Series { get; init; }

    /// <summary>What the horizontal axis counts.</summary>
    public string XLabel { get; init; } = "step";

    /// <summary>The vertical axis is logarithmic.</summary>
    public bool IsLogarithmic { get; init; }
}

/// <summary>Groups of bars: a measure by task, before and after.</summary>
public sealed record BarChart : ReportBlock
{
    /// <summary>Names of the bars in each group.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>Groups with a value for each series, null where there is none.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> Groups { get; init; }

    /// <summary>Values are shares from 0 to 1, shown in per cent.</summary>
    public bool IsShare { get; init; }
}

/// <summary>How often values fall into bins: reward margins, lengths.</summary>
public sealed record Histogram : ReportBlock
{
    /// <summary>Named samples, drawn over one another with common bins.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Samples { get; init; }

    /// <summary>What the horizontal axis measures.</summary>
    public string XLabel { get; init; } = "";

    /// <summary>Number of bins.</summary>
    public int BinCount { get; init; } = 30;
}

/// <summary>A table.</summary>
public sealed record ReportTable : ReportBlock
{
    /// <summary>Column names; the first column is text, the others are figures.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Cells of every row.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Rows { get; init; }
}

/// <summary>Questions with the answers of several models.</summary>
public sealed record ExampleAnswers : ReportBlock
{
    /// <summary>The examples.</summary>
    public required IReadOnlyList<ExampleAnswer> Examples { get; init; }
}

/// <summary>One question and what was answered.</summary>
/// <param name="Question">The prompt.</param>
/// <param name="Expected">The right answer; null where there is no single one.</param>
/// <param name="Answers">Who answered what, and whether it is right (null where that cannot be said).</param>
public sealed record ExampleAnswer(string Question, string? Expected, IReadOnlyList<(string By, string Text, bool? IsRight)> Answers);
