using Handbook.Text.Conversations.Inspection;

namespace Handbook.Text.Tests.Conversations;

public sealed class InspectionTests
{
    private static InspectedToken Token(int id, string text, int message, bool isLabel, bool isSpecial = false) => new(id, text, message, isLabel, isSpecial);

    private static InspectedExample Example(params InspectedToken[] tokens) =>
        new("rows.jsonl:3", ["user", "assistant"], [new InspectedPart("sequence", tokens)], []);

    private static readonly InspectedExample Small = Example(
        Token(1, "<s>", -1, false, true), Token(7, "Hi", 0, false), Token(8, " there\n", 0, false), Token(9, "Yes", 1, true), Token(2, "</s>", 1, true, true));

    [Fact]
    public void WriteText_Plain_MarksLabelsByAColumn()
    {
        var text = InspectionText.Write(Small, colour: false, everyToken: false);
        Assert.DoesNotContain("\u001b", text, StringComparison.Ordinal);
        Assert.Contains("rows.jsonl:3: 5 tokens, 2 labels", text, StringComparison.Ordinal);
        Assert.Contains("       3       9    *    1 assistant    Yes", text, StringComparison.Ordinal);
        Assert.Contains("       2       8         0 user         \u00b7there\u21b5", text, StringComparison.Ordinal);
    }

    [Fact]
    public void WriteText_HostileText_NeverSteersTheTerminal()
    {
        var text = InspectionText.Write(Example(Token(1, "\u001b]0;gone\u0007", 0, false)), colour: true, everyToken: true);
        Assert.DoesNotContain("\u001b]", text, StringComparison.Ordinal);
        Assert.Contains("\\x1b]0;gone\\x07", text, StringComparison.Ordinal);
    }

    [Fact]
    public void WritePage_HostileText_IsEncoded()
    {
        var page = InspectionPage.Write("<t>", [("a", "<b>")], null, [Example(Token(1, "<script>alert('x')</script>\"", 0, true))]);
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    [Fact]
    public void WritePage_EveryToken_CarriesIdMessageAndLabel()
    {
        var page = InspectionPage.Write("run", [], null, [Small]);
        Assert.Contains("title=\"id 9 \u00b7 message 1 (assistant) \u00b7 label\"", page, StringComparison.Ordinal);
        Assert.Contains("title=\"id 7 \u00b7 message 0 (user) \u00b7 no label\"", page, StringComparison.Ordinal);
        Assert.Contains("title=\"id 1 \u00b7 template \u00b7 no label\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_CountsLengthsLabelsAndFates()
    {
        var summary = new InspectionSummary();
        summary.Add(Small, maxLength: 4);
        summary.Add(Example(Token(1, "a", 0, false)) with { Problems = ["no label"] }, maxLength: 4);
        summary.AddDropped("bad row");
        summary.Add(Small, maxLength: 4, dropsOverlong: true);
        Assert.Equal((3, 11L, 4L, 1, 1, 2), (summary.ExampleCount, summary.TokenCount, summary.LabelCount, summary.Unlabelled, summary.Truncated, summary.Dropped));
        Assert.Equal((1, 5, 5), (summary.Percentile(0), summary.Percentile(0.5), summary.Percentile(1)));
        Assert.Equal(3, summary.Histogram(4).Sum());
        Assert.Equal([("no label", 1), ("bad row", 1)], summary.Problems);
    }

    [Fact]
    public void Summary_OfAPair_CountsTheLongerRow()
    {
        var summary = new InspectionSummary();
        var tokens = Small.Parts[0].Tokens;
        summary.Add(new InspectedExample("p", [], [new("prompt", tokens), new("chosen", [tokens[0]]), new("rejected", tokens)], []), maxLength: null);
        Assert.Equal(10, summary.Percentile(1));
    }

    [Fact]
    public void Summary_Empty_IsAllZero()
    {
        var summary = new InspectionSummary();
        Assert.Equal((0, 0.0), (summary.Percentile(0.5), summary.LabelShare));
        Assert.Contains("<h1>", InspectionPage.Write("x", [], summary, []), StringComparison.Ordinal);
    }
}
