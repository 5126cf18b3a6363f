using System.Globalization;
using System.Net;
using System.Text;

namespace Handbook.Chat.Inspection;

/// <summary>
/// Examples and their summary as one HTML page that needs nothing else: no network, no script from elsewhere. Everything
/// that comes from the data is encoded.
/// </summary>
public static class InspectionPage
{
    /// <summary>What stands near the beginning of every page written here.</summary>
    public static ReadOnlySpan<byte> Mark => "<p class=\"eyebrow\">handbook data inspect</p>"u8;

    private const int Bins = 48;

    /// <summary>The whole page.</summary>
    /// <param name="title">What is looked at, such as the recipe's name.</param>
    /// <param name="facts">Settings that decided the tokens: profile, template, tokenizer, label scope.</param>
    /// <param name="summary">The dataset in numbers; null to leave it out.</param>
    /// <param name="examples">The examples to show.</param>
    /// <param name="notes">What else is to be said of the data, a line each.</param>
    public static string Write(
        string title, IReadOnlyList<(string Name, string Value)> facts, InspectionSummary? summary,
        IReadOnlyList<InspectedExample> examples,
        IReadOnlyList<string>? notes = null)
    {
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            + "content=\"width=device-width,initial-scale=1\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                + "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n")
            .Append("<title>").Append(Encode(title)).Append("</title>\n<style>").Append(InspectionStyle.Css)
            .Append("</style></head><body>\n")
            .Append("<header>").Append(Encoding.UTF8.GetString(Mark)).Append("<h1>").Append(Encode(title))
            .Append("</h1><dl class=\"facts\">");
        foreach (var (name, value) in facts)
            page.Append("<div><dt>").Append(Encode(name)).Append("</dt><dd>").Append(Encode(value)).Append("</dd></div>");
        page.Append("</dl></header>\n");
        if (summary is not null)
            AppendSummary(page, summary);
        if (notes is { Count: > 0 })
            page.Append("<details class=\"notes\"><summary>how the data was made</summary><pre>").Append(Encode(string.Join('\n', notes)))
                .Append("</pre></details>\n");
        page.Append(Toolbar);
        for (var i = 0; i < examples.Count; i++)
            AppendExample(page, examples[i], i);
        page.Append("<script>").Append(InspectionStyle.Script).Append("</script>\n</body></html>\n");
        return page.ToString();
    }

    private const string Toolbar =
        "<div class=\"toolbar\"><span class=\"key\"><span class=\"t l\">label</span> counts in the loss</span>"
        + "<span class=\"key\"><span class=\"t\">context</span> is read only</span><span "
        + "class=\"key\"><span class=\"t s\">special</span> token</span>"
        + "<span class=\"grow\"></span>"
        + "<label><input type=\"checkbox\" data-toggle=\"edges\" checked> token edges</label><label><input type=\"checkbox\" "
        + "data-toggle=\"ids\"> ids</label>"
        + "<label><input type=\"checkbox\" data-toggle=\"focus\"> labels only</label></div>\n";

    private static void AppendSummary(StringBuilder page, InspectionSummary summary)
    {
        page.Append("<section class=\"summary\"><div class=\"cards\">");
        Card(page, "examples", Number(summary.ExampleCount), "");
        Card(page, "tokens", Number(summary.TokenCount),
            $"{Number(summary.ExampleCount == 0 ? 0 : summary.TokenCount / summary.ExampleCount)} on average");
        Card(page, "labels", summary.LabelShare.ToString("P1", CultureInfo.InvariantCulture), Number(summary.LabelCount) + " tokens");
        Card(page, "truncated", Number(summary.Truncated), "longer than the limit", summary.Truncated > 0 ? "warn" : "good");
        Card(page, "dropped", Number(summary.Dropped), "left out", summary.Dropped > 0 ? "warn" : "good");
        Card(page, "cleaned away", Number(summary.Removed), "by the recipe's rules", summary.Removed > 0 ? "warn" : "good");
        Card(page, "unlabelled", Number(summary.Unlabelled), "teach nothing", summary.Unlabelled > 0 ? "bad" : "good");
        page.Append("</div>");
        AppendHistogram(page, summary);
        foreach (var (problem, count) in summary.Problems)
            page.Append("<p class=\"problem\"><b>").Append(Number(count)).Append("</b> ").Append(Encode(problem)).Append("</p>");
        page.Append("</section>\n");
    }

    private static void Card(StringBuilder page, string name, string value, string note, string kind = "") =>
        page.Append("<div class=\"card ").Append(kind).Append("\"><span>").Append(name).Append("</span><b>").Append(value)
            .Append("</b><small>").Append(Encode(note)).Append("</small></div>");

    private static void AppendHistogram(StringBuilder page, InspectionSummary summary)
    {
        if (summary.ExampleCount == 0)
            return;
        var bins = summary.Histogram(Bins);
        var longest = summary.Percentile(1);
        var tallest = Math.Max(1, bins.Max());
        page.Append("<figure><figcaption>length in tokens &nbsp; shortest <b>").Append(Number(summary.Percentile(0)))
            .Append("</b> median <b>")
            .Append(Number(summary.Percentile(0.5))).Append("</b> 90% <b>").Append(Number(summary.Percentile(0.9))).Append("</b> 99% <b>")
            .Append(Number(summary.Percentile(0.99))).Append("</b> longest <b>").Append(Number(longest)).Append("</b></figcaption>")
            .Append(CultureInfo.InvariantCulture,
                $"<svg viewBox=\"0 0 {Bins * 10} 90\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"histogram of lengths\">");
        for (var i = 0; i < Bins; i++)
        {
            var height = bins[i] == 0 ? 0 : Math.Max(2, 88.0 * bins[i] / tallest);
            page.Append(CultureInfo.InvariantCulture,
                $"<rect x=\"{i * 10 + 1}\" y=\"{90 - height:0.#}\" width=\"8\" height=\"{height:0.#}\"><title>{i * (longest + 1) / Bins} "
                    + $"to {(i + 1) * (longest + 1) / Bins} tokens: {bins[i]} examples</title></rect>");
        }
        page.Append("</svg></figure>");
    }

    private static void AppendExample(StringBuilder page, InspectedExample example, int number)
    {
        page.Append(CultureInfo.InvariantCulture, $"<article id=\"e{number}\"><h2><a href=\"#e{number}\">").Append(Encode(example.Name))
            .Append("</a><small>")
            .Append(Number(example.TokenCount)).Append(" tokens, ").Append(Number(example.LabelCount)).Append(" labels</small></h2>");
        foreach (var problem in example.Problems)
            page.Append("<p class=\"problem\">").Append(Encode(problem)).Append("</p>");
        page.Append(example.Parts.Count > 1 ? "<div class=\"parts\">" : "<div>");
        foreach (var part in example.Parts)
        {
            page.Append("<section class=\"part\"><h3>").Append(Encode(part.Title)).Append("<small>").Append(Number(part.Tokens.Count))
                .Append("</small></h3><div class=\"text\">");
            AppendTokens(page, part, example.Roles);
            page.Append("</div></section>");
        }
        page.Append("</div></article>\n");
    }

    private static void AppendTokens(StringBuilder page, InspectedPart part, IReadOnlyList<string> roles)
    {
        var message = -2;
        var (gap, behind) = part.Gap;
        for (var i = 0; i < part.Tokens.Count; i++)
        {
            if (i == gap && behind > 0)
            {
                page.Append("<span class=\"who other\">").Append(Number(behind - gap)).Append(" tokens not shown</span>");
                i = behind;
            }
            var token = part.Tokens[i];
            if (token.Message != message && roles.Count > 0 && token.Message >= 0)
            {
                var role = token.Message < roles.Count ? roles[token.Message] : "message";
                page.Append("<span class=\"who ").Append(RoleClass(role)).Append("\">").Append(Encode(role)).Append("</span>");
            }
            message = token.Message;
            AppendToken(page, token, roles);
        }
    }

    private static void AppendToken(StringBuilder page, InspectedToken token, IReadOnlyList<string> roles)
    {
        var who = token.Message < 0 ? "template"
            : token.Message < roles.Count ? $"message {token.Message} ({roles[token.Message]})" : $"message {token.Message}";
        page.Append("<span class=\"t").Append(token.IsLabel ? " l" : "").Append(token.IsSpecial ? " s" : "").Append(token.IsCut ? " x" : "")
            .Append("\" title=\"id ")
            .Append(token.Id.ToString(CultureInfo.InvariantCulture)).Append(" \u00b7 ").Append(Encode(who))
            .Append(token.IsLabel ? " \u00b7 label" : " \u00b7 no label").Append(token.IsCut ? " \u00b7 cut off" : "")
            .Append("\" data-i=\"").Append(token.Id.ToString(CultureInfo.InvariantCulture)).Append("\">");
        var lines = token.Text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (i > 0)
                page.Append("<i>\u21b5</i>\n");
            page.Append(Encode(lines[i]));
        }
        page.Append("</span>");
    }

    private static string RoleClass(string role) => role switch
    {
        "assistant" or "user" or "system" or "tool" => role,
        _ => "other",
    };

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Encode(string text) => WebUtility.HtmlEncode(PrintableText.Lines(text));
}
