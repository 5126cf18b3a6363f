using System.Text.RegularExpressions;

namespace Handbook.Sampling.Endpoints;

/// <summary>An endpoint that speaks the OpenAI chat interface, and how patient to be with it.</summary>
public sealed partial record EndpointOptions
{
    /// <summary>The one operation that is asked for, below <see cref="Url"/>.</summary>
    internal const string Operation = "/chat/completions";

    private const int LongestWord = 20;

    /// <summary>Its address, up to and with <c>/v1</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary>The model's name there.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// The environment variable that holds the key; null for an endpoint without one. The key itself stands in no recipe, file or
    /// message.
    /// </summary>
    public string? ApiKeyVariable { get; init; }

    /// <summary>Whether a key may travel unencrypted to another machine.</summary>
    public bool AllowPlainHttp { get; init; }

    /// <summary>How long one request may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a request that failed is repeated.</summary>
    public int MaxRetries { get; init; } = 6;

    /// <summary>The most requests at a time.</summary>
    public int MaxConcurrency { get; init; } = 8;

    /// <summary>The address for messages: without user, query and fragment, which may hold secrets.</summary>
    public string DisplayUrl => Display(Url);

    /// <summary>What decides its completions, as one line: completions that were kept are used again only under the same one.</summary>
    public string Identity => $"endpoint {DisplayUrl} {Model}";

    /// <summary>Who gets which key, for the facts of a run: told before the first request.</summary>
    public static IEnumerable<(string Name, string Value)> KeyFacts(IEnumerable<EndpointOptions?> endpoints) => endpoints
        .Where(endpoint => endpoint?.ApiKeyVariable is not null)
        .Select(endpoint => ("key", $"{endpoint!.ApiKeyVariable} goes to {endpoint.DisplayUrl}")).Distinct();

    /// <summary>Where requests go. An address that is already that of the operation is taken as it is.</summary>
    internal Uri ChatAddress
    {
        get
        {
            var path = Url.AbsolutePath.TrimEnd('/');
            return new UriBuilder(Url) { Path = path.EndsWith(Operation, StringComparison.Ordinal) ? path : path + Operation }.Uri;
        }
    }

    /// <summary>
    /// Why a text is no variable's name; null when it is one. The reason never shows the text: it may be the key itself, pasted where
    /// its variable's name belongs.
    /// </summary>
    public static string? FindNameProblem(string text) =>
        !Name().IsMatch(text)
            ? "is not the name of an environment variable (what stands there is not shown: it may be a key); expected one such as "
                + "OPENAI_API_KEY, which holds the key."
        : LooksLikeKey(text)
            ? "looks like a key itself (it is not shown); expected the name of the "
                + "environment variable that holds it, such as OPENAI_API_KEY."
        : null;

    /// <summary>Why the key must not be sent to the address; null when it may.</summary>
    public string? FindTransportProblem() =>
        ApiKeyVariable is not null && !AllowPlainHttp && Url.Scheme == Uri.UriSchemeHttp && !Url.IsLoopback
            ? $"{DisplayUrl} would get the key unencrypted, readable on the way to that machine; give an https address, or set "
                + "allow_plain_http: true where the network is trusted." : null;

    /// <summary>Reads the key.</summary>
    /// <exception cref="UserErrorException">
    /// The variable is not set, or holds what no header can carry; the message shows no value.
    /// </exception>
    public string? ReadKey()
    {
        if (ApiKeyVariable is null)
            return null;
        if (FindNameProblem(ApiKeyVariable) is { } problem)
            throw new UserErrorException("api_key_env: " + problem);
        if (FindTransportProblem() is { } danger)
            throw new UserErrorException("url: " + danger);
        // Files and shells leave a line feed at the end.
        var key = Environment.GetEnvironmentVariable(ApiKeyVariable)?.Trim();
        if (string.IsNullOrEmpty(key))
        {
            var named = IsConventional(ApiKeyVariable)
                ? $"the environment variable {ApiKeyVariable} is" : "it names an environment variable that is";
            throw new UserErrorException($"api_key_env: {named} not set; it must hold the key of {DisplayUrl}.");
        }
        return key.All(letter => letter is > ' ' and < '\x7F')
            ? key
            : throw new UserErrorException($"api_key_env: the value of {ApiKeyVariable} holds white space or letters that no key has; it "
                + $"must be the key of {DisplayUrl} and nothing else.");
    }

    /// <summary>An address without what may be secret in it.</summary>
    internal static string Display(Uri url) => url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    // Keys are long words of letters and digits; names of variables are made of short ones.
    private static bool LooksLikeKey(string name) => name.Split('_').Any(word =>
        word.Length >= LongestWord
            || word.Length >= 16
                && new Func<char, bool>[] { char.IsAsciiDigit, char.IsAsciiLetterLower, char.IsAsciiLetterUpper }.Count(word.Any) > 1);

    private static bool IsConventional(string name) =>
        name.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_');

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
