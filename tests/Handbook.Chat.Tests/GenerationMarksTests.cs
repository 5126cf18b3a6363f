using Handbook.Templates;
using Handbook.TestSupport;

namespace Handbook.Chat.Tests;

/// <summary>Generation blocks wherever they are written: profile best finds their text, the others follow transformers' fault.</summary>
public sealed class GenerationMarksTests
{
    private const string One =
        "{% if m.role == 'assistant' %}A:{% generation %}{{ m.content }}.{% endgeneration %}\n{% else %}U:{{ m.content }}\n{% endif %}";
    private const string Plain = "{% for m in messages %}" + One + "{% endfor %}";
    private const string InMacro = "{% macro one(m) %}" + One + "{% endmacro %}{% for m in messages %}{{ one(m) }}{% endfor %}";
    private const string InMacroTwice =
        "{% macro say(x) %}{% generation %}{{ x }}.{% endgeneration %}{% endmacro %}{% macro one(m) %}{{ 'A:' + say(m.content) if m.role "
        + "== 'assistant' else 'U:' + m.content }}\n{% endmacro %}{% for m in messages %}{{ one(m) }}{% endfor %}";
    private const string InSet = "{% for m in messages %}{% set x %}" + One + "{% endset %}{{ x }}{% endfor %}";
    private const string InFilter = "{% for m in messages %}{% filter trim %}" + One + "{% endfilter %}{{ '\\n' }}{% endfor %}";
    private const string InCall = "{% macro wrap() %}{{ caller() }}{% endmacro %}{% for m in messages %}{% call wrap() %}" + One
        + "{% endcall %}{% endfor %}";
    private const string Recursive = "{% for m in messages recursive %}" + One + "{% endfor %}";
    private const string Shifted = "{% macro one(m) %}" + One
        + "{% endmacro %}{% set all = namespace(t='') %}{% for m in messages %}{% set "
        + "all.t = all.t + one(m) %}{% endfor %}{{ 'HEAD\n' + all.t }}";

    private static readonly Message[] Conversation =
    [
        new() { Role = "user", Content = "a" }, new() { Role = "assistant", Content = "first answer" },
        new() { Role = "user", Content = "b" }, new() { Role = "assistant", Content = "second answer" },
    ];

    private static string Labels(string template, Profile profile)
    {
        var options = new ConversationOptions { Labels = LabelScope.AssistantTurns, Profile = profile };
        var tokens = new ConversationTokenizer(CharacterTokenizer.Load(CharacterTokenizer.Json()), template, options)
            .Tokenize(Conversation);
        return string.Concat(tokens.Offsets.Select((range, i) => tokens.LossMask[i] ? tokens.Text[range.Start..range.End] : "|"))
            .Replace("|", "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Plain)]
    [InlineData(InMacro)]
    [InlineData(InMacroTwice)]
    [InlineData(InSet)]
    [InlineData(InFilter)]
    [InlineData(InCall)]
    [InlineData(Recursive)]
    [InlineData(Shifted)]
    public void Tokenize_Best_LabelsTheBlocksText(string template) =>
        Assert.Equal("first answer.second answer.", Labels(template, Profile.Best));

    [Fact]
    public void Tokenize_OtherProfiles_PutAMacrosSpanWhereTransformersDoes()
    {
        Assert.Equal("first answer.second answer.", Labels(Plain, Profile.Trl019));
        Assert.NotEqual("first answer.second answer.", Labels(InMacro, Profile.Trl019));
    }

    /// <summary>A template that looks at its own text is not deceived by marks: what it says without them is taken.</summary>
    [Fact]
    public void Tokenize_MarksThatChangeTheText_AreNotBelieved()
    {
        const string template = "{% macro one(m) %}" + One
            + "{% endmacro %}{% for m in messages %}{{ one(m) }}{{ one(m)|length % 2 }}\n{% endfor %}";
        var labels = Labels(template, Profile.Best);
        Assert.Contains("first answer.", labels, StringComparison.Ordinal);
        Assert.DoesNotContain("U:", labels, StringComparison.Ordinal);
    }
}
