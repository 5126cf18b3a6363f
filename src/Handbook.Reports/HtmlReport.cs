using System.Globalization;
using System.Net;
using System.Text;
using static System.FormattableString;

namespace Handbook.Reports;

/// <summary>
/// Renders a <see cref="RunReport"/> as one page that needs nothing else: style, drawings and script are inside, and a content
/// security policy forbids every request. Texts of models and datasets are escaped.
/// </summary>
internal static class HtmlReport
{
    public static string Render(RunReport report)
    {
        var text = new StringBuilder();
        text.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
            + "content=\"width=device-width, initial-scale=1\">\n");
        text.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            + "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n");
        text.Append("<meta name=\"color-scheme\" content=\"light dark\">\n");
        text.Append(Invariant($"<title>{Escape(report.Title)}</title>\n<style>{ReportStyle.Css}</style>\n</head>\n<body>\n<main>\n"));
        text.Append(Invariant($"<header><h1>{Escape(report.Title)}</h1><p class=\"lead\">{Escape(report.Subtitle)}</p></header>\n"));
        if (report.Headlines.Count > 0)
        {
            text.Append("<section class=\"headlines\">");
            foreach (var headline in report.Headlines)
                text.Append(CultureInfo.InvariantCulture,
                    $"<div class=\"headline\"><span>{Escape(headline.Label)}</span><b>{Escape(headline.Value)}</"
                        + $"b><small>{Escape(headline.Detail)}</small></div>");
            text.Append("</section>\n");
        }
        AppendBlocks(text, report.Overview);
        foreach (var stage in report.Stages)
            AppendStage(text, stage);
        text.Append(Invariant(
            $"<footer>{Escape(report.Footer)}</footer>\n</main>\n<script>{ReportStyle.Script}</script>\n</body>\n</html>\n"));
        return text.ToString();
    }

    /// <summary>Text for HTML and attribute values.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(PrintableText.Lines(text));

    private static void AppendStage(StringBuilder text, ReportStage stage)
    {
        text.Append(Invariant($"<section class=\"stage\"><h2>{Escape(stage.Title)}</h2>"));
        if (stage.Description.Length > 0)
            text.Append(Invariant($"<p>{Escape(stage.Description)}</p>"));
        if (stage.Facts.Count > 0)
        {
            text.Append("<dl>");
            foreach (var (name, value) in stage.Facts)
                text.Append(Invariant($"<div><dt>{Escape(name)}</dt><dd>{Escape(value)}</dd></div>"));
            text.Append("</dl>");
        }
        AppendBlocks(text, stage.Blocks);
        text.Append("</section>\n");
    }

    private static void AppendBlocks(StringBuilder text, IReadOnlyList<ReportBlock> blocks)
    {
        if (blocks.Count == 0)
            return;
        text.Append("<div class=\"blocks\">");
        foreach (var block in blocks)
        {
            var wide = block is ReportTable or ExampleAnswers ? " wide" : "";
            text.Append(Invariant($"<figure class=\"card{wide}\"><figcaption>{Escape(block.Title)}</figcaption>"));
            if (block.Note.Length > 0)
                text.Append(Invariant($"<p class=\"note\">{Escape(block.Note)}</p>"));
            AppendContent(text, block);
            text.Append("</figure>");
        }
        text.Append("</div>\n");
    }

    private static void AppendContent(StringBuilder text, ReportBlock block)
    {
        switch (block)
        {
            case LineChart chart:
                text.Append(Invariant(
                    $"<div class=\"chart\" data-series=\"{Escape(Data(chart))}\">{SvgChart.Of(chart)}<output></output></div>"));
                AppendLegend(text, [.. chart.Series.Select(series => series.Name)]);
                break;
            case BarChart chart:
                text.Append(SvgChart.Of(chart));
                AppendLegend(text, chart.Series);
                break;
            case Histogram chart:
                text.Append(SvgChart.Of(chart));
                AppendLegend(text, [.. chart.Samples.Select(sample => sample.Name)]);
                break;
            case ReportTable table:
                AppendTable(text, table);
                break;
            case ExampleAnswers answers:
                AppendExamples(text, answers);
                break;
        }
    }

    private static void AppendLegend(StringBuilder text, IReadOnlyList<string> names)
    {
        text.Append("<div class=\"legend\">");
        for (var i = 0; i < names.Count; i++)
            text.Append(Invariant($"<span><i class=\"c{i % 4}\"></i>{Escape(names[i])}</span>"));
        text.Append("</div>");
    }

    private static void AppendTable(StringBuilder text, ReportTable table)
    {
        text.Append("<div class=\"scroll\"><table><thead><tr>");
        foreach (var column in table.Columns)
            text.Append(Invariant($"<th>{Escape(column)}</th>"));
        text.Append("</tr></thead><tbody>");
        foreach (var row in table.Rows)
        {
            text.Append("<tr>");
            foreach (var cell in row)
                text.Append(Invariant($"<td>{Escape(cell)}</td>"));
            text.Append("</tr>");
        }
        text.Append("</tbody></table></div>");
    }

    private static void AppendExamples(StringBuilder text, ExampleAnswers answers)
    {
        text.Append("<div class=\"examples\">");
        foreach (var example in answers.Examples)
        {
            text.Append(Invariant($"<div class=\"example\"><p class=\"question\">{Escape(example.Question)}</p>"));
            if (example.Expected is not null)
                text.Append(Invariant($"<p class=\"expected\">expected <b>{Escape(example.Expected)}</b></p>"));
            foreach (var (by, answer, isRight) in example.Answers)
            {
                var mark = isRight switch
                {
                    true => "<em class=\"right\">right</em>",
                    false => "<em class=\"wrong\">wrong</em>",
                    null => "",
                };
                text.Append(Invariant($"<p class=\"answer\"><span>{Escape(by)}</span><q>{Escape(answer)}</q>{mark}</p>"));
            }
            text.Append("</div>");
        }
        text.Append("</div>");
    }

    // name|x:y x:y;name|... : what the script needs to say the values under the pointer.
    private static string Data(LineChart chart) => string.Join(';', chart.Series.Select(series =>
        series.Name.Replace(';', ' ').Replace('|', ' ') + "|" + string.Join(' ', series.Points.Where(point => double.IsFinite(point.Y))
            .Select(point => point.X.ToString("G6", CultureInfo.InvariantCulture) + ":"
                + point.Y.ToString("G5", CultureInfo.InvariantCulture)))));
}
