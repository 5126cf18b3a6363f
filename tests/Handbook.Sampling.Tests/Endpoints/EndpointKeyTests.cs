using Handbook.Sampling.Endpoints;

namespace Handbook.Sampling.Tests.Endpoints;

/// <summary>Keys come from a variable, go to one server, and are shown nowhere.</summary>
public sealed class EndpointKeyTests
{
    private const string Variable = "HANDBOOK_TEST_KEY_OF_KEYS";

    private static EndpointOptions Options(string name, string url = "https://host/v1") =>
        new() { Url = new Uri(url), Model = "m", ApiKeyVariable = name };

    [Theory]
    [InlineData("sk-proj-abcDEF")]
    [InlineData("hf_abcdefghijKLMNOPQRSTuvwxyzABCDEFgh")]
    [InlineData("gsk_a1B2c3D4e5F6g7H8i9J0")]
    [InlineData("AKIAIOSFODNN7EXAMPLE")]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("a secret")]
    [InlineData("$OPENAI_API_KEY")]
    [InlineData("")]
    public void Name_ThatIsNoName_IsRefusedWithoutShowingIt(string pasted)
    {
        var error = Assert.Throws<UserErrorException>(() => Options(pasted).ReadKey());
        Assert.StartsWith("api_key_env: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("OPENAI_API_KEY", error.Message, StringComparison.Ordinal);
        if (pasted.Length > 0 && pasted[0] != '$')
            Assert.DoesNotContain(pasted, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OPENAI_API_KEY")]
    [InlineData("HUGGINGFACEHUB_API_TOKEN")]
    [InlineData("GOOGLE_APPLICATION_CREDENTIALS")]
    [InlineData("my_key2")]
    public void Name_OfAVariable_IsOne(string name) => Assert.Null(EndpointOptions.FindNameProblem(name));

    [Fact]
    public void Variable_ThatIsNotSetAndMayBeAKey_IsNotNamed()
    {
        var error = Assert.Throws<UserErrorException>(() => Options("hunter2").ReadKey());
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sk-1234567890\n", "sk-1234567890")]
    [InlineData(" sk-1234567890\r\n", "sk-1234567890")]
    public void Value_IsTrimmed(string value, string expected)
    {
        Environment.SetEnvironmentVariable(Variable, value);
        Assert.Equal(expected, Options(Variable).ReadKey());
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("two\nlines")]
    [InlineData("schlüssel")]
    public void Value_ThatNoHeaderCarries_IsRefusedWithoutShowingIt(string value)
    {
        Environment.SetEnvironmentVariable(Variable, value);
        var error = Assert.Throws<UserErrorException>(() => Options(Variable).ReadKey());
        Assert.Contains(Variable, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value.Split(' ', '\n')[0], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://192.168.1.7:8000/v1", false)]
    [InlineData("http://localhost.example.com/v1", false)]
    [InlineData("http://localhost:8000/v1", true)]
    [InlineData("http://127.0.0.1/v1", true)]
    [InlineData("http://[::1]:8000/v1", true)]
    [InlineData("https://host/v1", true)]
    public void Key_OverPlainHttp_StaysOnThisMachineUnlessTold(string url, bool may)
    {
        Environment.SetEnvironmentVariable(Variable, "sk-1234567890");
        Assert.Equal(may, Options(Variable, url).FindTransportProblem() is null);
        if (!may)
            Assert.Contains("allow_plain_http: true", Assert.Throws<UserErrorException>(() => Options(Variable, url).ReadKey()).Message,
                StringComparison.Ordinal);
        Assert.NotNull((Options(Variable, url) with { AllowPlainHttp = true }).ReadKey());
        Assert.Null((Options(Variable, url) with { ApiKeyVariable = null }).FindTransportProblem());
    }

    [Fact]
    public void Facts_SayWhichVariableGoesWhere() => Assert.Equal(
        [("key", "A goes to https://host/v1"), ("key", "B goes to https://host/v1")],
        EndpointOptions.KeyFacts([Options("A", "https://user:pw@host/v1?token=1"), null, Options("B"), Options("A")]));
}
