using Handbook.Chat.Inspection;

namespace Handbook.Chat.Tests;

public sealed class InspectionTests
{
    private static InspectedToken Token(int id, string text, int message, bool isLabel, bool isSpecial = false) =>
        new(id, text, message, isLabel, isSpecial);

    private static InspectedExample Example(params InspectedToken[] tokens) =>
        new("rows.jsonl:3", ["user", "assistant"], [new InspectedPart("sequence", tokens)], []);

    private static readonly InspectedExample Small = Example(
        Token(1, "<s>", -1, false, true), Token(7, "Hi", 0, false), Token(8, " there\n", 0, false), Token(9, "Yes", 1, true),
        Token(2, "</s>", 1, true, true));

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
    public void WriteText_TokensThatAreCutOff_AreMarked()
    {
        var cut = Example(Token(9, "Yes", 1, true), Token(2, "</s>", 1, true) with { IsCut = true });
        Assert.Contains("       1       2   cut   1 assistant    </s>",
            InspectionText.Write(cut, colour: false, everyToken: false), StringComparison.Ordinal);
        Assert.Contains("label \u00b7 cut off", InspectionPage.Write("run", [], null, [cut]), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_PartTooLongToLookAt_ShowsItsEndsAndCountsAll()
    {
        var novel = Example([.. Enumerable.Range(0, 5000).Select(i => Token(i, $"w{i}.", 0, true))]);
        foreach (var text in new[] { InspectionText.Write(novel, colour: true, everyToken: true),
            InspectionPage.Write("run", [], null, [novel]) })
        {
            Assert.Contains("tokens not shown", text, StringComparison.Ordinal);
            Assert.Contains("w1999.", text, StringComparison.Ordinal);
            Assert.DoesNotContain("w2000.", text, StringComparison.Ordinal);
            Assert.DoesNotContain("w4599.", text, StringComparison.Ordinal);
            Assert.Contains("w4600.", text, StringComparison.Ordinal);
            Assert.Contains("w4999.", text, StringComparison.Ordinal);
        }
        Assert.Contains("5000 tokens, 5000 labels", InspectionText.Write(novel, colour: false, everyToken: false),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_Lengths_AreToldByShareAndRange()
    {
        var summary = new InspectionSummary { Lengths = [5, 1, 5], TokenCount = 11, LabelCount = 4 };
        Assert.Equal((3, 1, 5, 5), (summary.ExampleCount, summary.Percentile(0), summary.Percentile(0.5), summary.Percentile(1)));
        Assert.Equal([1, 0, 0, 2], summary.Histogram(4));
        Assert.Equal(4.0 / 11, summary.LabelShare);
    }

    [Fact]
    public void Summary_Empty_IsAllZero()
    {
        var summary = new InspectionSummary { Lengths = [], TokenCount = 0, LabelCount = 0 };
        Assert.Equal((0, 0.0), (summary.Percentile(0.5), summary.LabelShare));
        Assert.Contains("<h1>", InspectionPage.Write("x", [], summary, []), StringComparison.Ordinal);
    }
}
