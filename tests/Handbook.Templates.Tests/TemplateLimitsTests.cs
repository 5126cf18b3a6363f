using Handbook.TestSupport;

namespace Handbook.Templates.Tests;

/// <summary>A template is data from strangers: whatever it does, it ends soon, with the one documented exception.</summary>
public sealed class TemplateLimitsTests
{
    private static readonly TemplateLimits Small = new() { MaxSteps = 300_000, MaxTextLength = 1_000_000 };

    public static TheoryData<string, string> Hostile() => new()
    {
        { "LimitError", "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}" },
        { "LimitError", "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}" },
        { "LimitError", "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}" },
        { "LimitError", "{{ 'x' * 2000000000 }}" },
        { "LimitError", "{{ [0] * 2000000000 }}" },
        { "LimitError", "{{ 9 ** 99999999 }}" },
        { "LimitError", "{{ (-2) ** 99999999999999999999 }}" },
        { "LimitError",
            "{% set ns = namespace(x=99999999999999999999) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}" },
        { "LimitError", "{{ 'x'|center(2000000000) }}" },
        { "LimitError", "{{ 'x'.ljust(2000000000) }}" },
        { "LimitError", "{{ '%2000000d' % 1 }}" },
        { "LimitError", "{{ '{:2000000}'.format(1) }}" },
        { "LimitError", "{{ 'a\\nb'|indent(90000000) }}" },
        { "LimitError", "{{ 'aaaaaaaaaa'|replace('', 'x' * 900000) }}" },
        { "LimitError", "{{ [1]|batch(99999999, 'x')|list }}" },
        { "LimitError", "{{ [1]|slice(99999999)|list }}" },
        { "LimitError", "{{ ('x' * 900000).split('') if false else ('x ' * 400000).split() }}" },
        { "OverflowError", "{{ range(100001) }}" },
        { "RecursionError", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}" },
        { "RecursionError", "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}" },
        { "RecursionError", "{% set ns = namespace(x=[]) %}{% for i in range(50000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}" },
        { "RecursionError",
            "{% set ns = namespace(x=[]) %}{% for i in range(50000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|tojson }}" },
        { "RecursionError",
            "{% set a = namespace(x=[], y=[]) %}{% for i in range(9000) %}{% set a.x = "
                + "[a.x] %}{% set a.y = [a.y] %}{% endfor %}{{ a.x == a.y }}" },
        { "RecursionError", "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}" },
        { "RecursionError", "{% block b %}{{ self.b() }}{% endblock %}" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Render_HostileTemplate_EndsWithALimit(string kind, string source)
    {
        var error = Assert.Throws<TemplateException>(() => Template.Parse(source, Small).Render(new TemplateVariables()));
        Assert.Equal(kind, error.Kind);
        Assert.Equal(1, error.Line);
    }

    public static TheoryData<string> DeepSources() => new(
        "{{ " + new string('(', 100_000) + "1",
        "{{ " + string.Concat(Enumerable.Repeat("not ", 100_000)) + "1 }}",
        "{{ " + new string('-', 100_000) + "1 }}",
        "{{ " + new string('[', 100_000) + new string(']', 100_000) + " }}",
        "{{ " + string.Concat(Enumerable.Repeat("{1:", 50_000)) + " }}",
        string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000)),
        "{{ a" + string.Concat(Enumerable.Repeat("[a", 50_000)) + " }}",
        "{{ a" + string.Concat(Enumerable.Repeat("(a", 50_000)) + " }}",
        "{{ " + string.Concat(Enumerable.Repeat("1 if 1 else ", 50_000)) + "2 }}");

    [Theory]
    [MemberData(nameof(DeepSources))]
    public void Parse_DeeplyNestedSource_IsRefused(string source) => Assert.Throws<TemplateException>(() => Template.Parse(source));

    public static TheoryData<string> LongChains() => new(
        "{{ 1" + string.Concat(Enumerable.Repeat("+1", 50_000)) + " }}",
        "{{ x" + string.Concat(Enumerable.Repeat("|string", 50_000)) + " }}",
        "{{ x" + string.Concat(Enumerable.Repeat(" or x", 50_000)) + " }}",
        "{{ ''" + string.Concat(Enumerable.Repeat(".strip()", 50_000)) + " }}");

    /// <summary>These nest to the left, so parsing is flat and evaluating is deep.</summary>
    [Theory]
    [MemberData(nameof(LongChains))]
    public void Render_LongChainOnASmallStack_NeverOverflowsIt(string source)
    {
        var template = Template.Parse(source);
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() => template.Render(new TemplateVariables())), 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.True(failure is null or TemplateException, failure?.ToString());
    }

    [Fact]
    public void Render_Error_GivesLineAndColumnOfTheExpression()
    {
        var error = Assert.Throws<TemplateException>(() => Template.Parse("a\nb {{ x.y.z }}\n").Render(new TemplateVariables()));
        Assert.Equal((2, 7, "UndefinedError", "'x' is undefined"), (error.Line, error.Column, error.Kind, error.Reason));
        Assert.Equal("chat template line 2, column 7: UndefinedError: 'x' is undefined", error.Message);
    }

    [Fact]
    public void Parse_Error_GivesLineAndColumnOfTheToken()
    {
        var error = Assert.Throws<TemplateException>(() => Template.Parse("{% if true %}\n  {{ 1 + }}\n{% endif %}"));
        Assert.Equal((2, 10, "TemplateSyntaxError"), (error.Line, error.Column, error.Kind));
    }

    [Fact]
    public void Render_FromManyThreads_GivesTheSameText()
    {
        var template = Template.Parse(
            "{% set ns = namespace(n=0) %}{% for i in range(50) %}{% set ns.n = ns.n + i %}{{ loop.index }}{% endfor %}{{ ns.n }}");
        var texts = Enumerable.Range(0, 200).AsParallel().Select(_ => template.Render(new TemplateVariables()).Text).Distinct().ToList();
        Assert.Single(texts);
    }

    [Fact]
    public void Render_Clock_IsTheGivenOne()
    {
        var rendered = Template.Parse("{{ strftime_now('%d %B %Y') }}").Render(new TemplateVariables(), GoldenTime.Instance);
        Assert.Equal("02 January 2026", rendered.Text);
    }
}
