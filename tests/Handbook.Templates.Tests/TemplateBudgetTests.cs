namespace Handbook.Templates.Tests;

/// <summary>
/// Every operation pays for its size: repeated on a long text, or once on values that share their parts, it ends with the limit.
/// </summary>
public sealed class TemplateBudgetTests
{
    private static readonly TemplateLimits Small = new() { MaxSteps = 400_000, MaxTextLength = 1_000_000 };

    /// <summary>Three hundred turns of anything are cheap; three hundred looks at 40,000 characters are not.</summary>
    public static TheoryData<string> OnTexts() => new(
        "t == u", "t != u", "t < u", "t <= u", "u in t", "'zz' in t", "t in {u: 1}", "[t, u]|unique|list", "[t, u]|sort", "[t, u]|max",
        "t.find('zz')", "t.rfind('zz')", "t.find(u[1:] ~ 'c')", "t.rfind('c' ~ u[1:])", "t.count('zz')", "t.count(u)",
        "t.startswith(u)", "t.endswith(u)",
        "t.split('zz')", "t.rsplit('zz', 1)", "t.split()", "t.splitlines()", "t.partition('zz')",
        "t.rpartition('zz')", "t.replace('zz', '')",
        "t|replace('zz', '')", "t.strip('ab')", "t|trim", "t[1:]", "t[::2]", "t[::-1]", "t|reverse", "t ~ ''", "t + ''",
        "t * 1", "t.join(['', ''])",
        "[t]|join", "'%s' % t", "'{}'.format(t)", "t.center(50000)", "t.ljust(50000)", "t.zfill(50000)", "t.expandtabs()",
        "t|indent", "t|center(50000)",
        "t|upper", "t.lower()", "t|title", "t|capitalize", "t.swapcase()", "t.casefold()", "t.isalpha()", "t.isupper()",
        "t.isascii()", "t.isprintable()",
        "t.isidentifier()", "t is lower", "t|int", "t|float", "t|wordcount", "t|wordwrap", "t|wordwrap(1)",
        "t|truncate(20000)", "t|striptags",
        "t|urlencode", "t|urlize", "t|escape", "t|tojson", "t|pprint", "[t]|string", "e|length", "e[10000]", "e[5:]",
        "t|list", "t|first ~ t",
        "t|map('upper')|list", "t|batch(2)|list", "[1]|map(attribute=t)|list", "[{'a': t}]|groupby('a')",
        "'{:>50000}'.format(1)", "'%50000d' % 1",
        "'{:050000,}'.format(1)", "strftime_now(t)", "l[:]", "l[::-1]", "l + l", "l * 2", "l|list|sort", "l|sum", "l|reverse|list",
        "l == m", "7 in l", "l.count(7)",
        "l|tojson", "l|string", "l|pprint", "l|unique|list", "n * n", "n // (n // 7)", "n % 7 ** 2000", "n|string", "7 ** 5000", "n / n",
        "k|int", "t.removeprefix('a')");

    [Theory]
    [MemberData(nameof(OnTexts))]
    public void Render_AnOperationOnALongValue_Pays(string operation)
    {
        const string values = "{% set t = 'ab' * 20000 %}{% set u = 'ab' * 20000 %}{% set e = '\U0001F600' * 20000 %}{% set l = [1, 2] * "
            + "5000 %}{% set m = [1, 2] * 5000 %}"
            + "{% set n = 7 ** 5000 %}{% set k = '7' * 4000 %}";
        var error = Fails(values + "{% for i in range(3000) %}{% if " + operation + " %}{% endif %}{% endfor %}");
        Assert.Equal("LimitError", error.Kind);
    }

    public static TheoryData<string> OnSharedValues() => new(
        "a == b", "a != b", "a < b", "a in [b]", "[a, b]|sort", "[a, b]|max", "[b].index(a)", "[b].count(a)", "a|string",
        "a|tojson", "a|pprint", "'%s' % [a]",
        "'{}'.format(a)", "a ~ ''", "p == q", "{p: 1}", "p in {q: 1}", "[p, q]|unique|list", "{'x': a} == {'x': b}",
        "[{'k': a}, {'k': b}]|groupby('k')",
        "[a]|join", "a is eq(b)", "p is filter", "raise_exception(a)");

    [Theory]
    [MemberData(nameof(OnSharedValues))]
    public void Render_AnOperationOnValuesThatShareTheirParts_Pays(string operation)
    {
        // Thirty levels of pairs: a billion elements to whoever walks over them, thirty objects in memory.
        const string values = "{% set n = namespace(a=[], b=[], p=(1,), q=(1,)) %}{% for i in range(30) "
            + "%}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}"
            + "{% set n.p = (n.p, n.p) %}{% set n.q = (n.q, n.q) %}{% endfor %}{% set a = n.a "
            + "%}{% set b = n.b %}{% set p = n.p %}{% set q = n.q %}";
        Assert.Equal("LimitError", Fails(values + "{% if " + operation + " %}{% endif %}").Kind);
    }

    /// <summary>What would fill memory before anyone looks at its length is refused before it is made.</summary>
    [Theory]
    [InlineData("{% set t = 'ab' * 400000 %}{{ t ~ t ~ t ~ t ~ t ~ t }}")]
    [InlineData("{{ '{:0900000000,}'.format(1) }}")]
    [InlineData("{{ [[1]]|tojson(indent='x' * 900000) }}")]
    [InlineData("{{ strftime_now('%c' * 400000) }}")]
    [InlineData("{{ ('a b' * 1000)|wordwrap(1, wrapstring='x' * 900000) }}")]
    public void Render_ATextThatWouldBeTooLong_IsRefused(string source) => Assert.Equal("LimitError", Fails(source).Kind);

    [Fact]
    public void Render_AReasonOfMillions_IsCut()
    {
        var error = Fails("{{ raise_exception('x' * 900000) }}");
        Assert.Equal(("TemplateError", 2003), (error.Kind, error.Reason.Length));
    }

    [Theory]
    [InlineData("aaab", "aab", 1)]
    [InlineData("abcabcabcabcabcabcabcabcabcabcabd", "abcabcabcabcabcabcabcabcabd", 6)]
    [InlineData("abcabcabcabcabcabcabcabcabcabcabc", "abcabcabcabcabcabcabcabcabd", -1)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0)]
    public void Find_PartsOfAnyLength_AreFoundWhereDotNetFindsThem(string text, string part, int expected)
    {
        Assert.Equal(expected, text.IndexOf(part, StringComparison.Ordinal));
        Assert.Equal($"{expected} {text.LastIndexOf(part, StringComparison.Ordinal)}",
            Template.Parse($"{{{{ '{text}'.find('{part}') }}}} {{{{ '{text}'.rfind('{part}') }}}}").Render(new TemplateVariables()).Text);
    }

    [Theory]
    [InlineData("aaa bb-cc dddddddd e", 4)]
    [InlineData("\U0001F600\U0001F600\U0001F600 \U0001F600", 2)]
    [InlineData("one-two-three four", 6)]
    public void WordWrap_AnyWord_IsCutAtTheWidth(string text, int width)
    {
        var lines = Template.Parse($"{{{{ t|wordwrap({width}) }}}}").Render(new TemplateVariables().Set("t", text)).Text.Split('\n');
        Assert.All(lines, line => Assert.InRange(new System.Globalization.StringInfo(line).LengthInTextElements, 1, width));
        Assert.Equal(text.Replace(" ", "", StringComparison.Ordinal), string.Concat(lines).Replace(" ", "", StringComparison.Ordinal));
    }

    private static TemplateException Fails(string source) =>
        Assert.Throws<TemplateException>(() => Template.Parse(source, Small).Render(new TemplateVariables()));
}
