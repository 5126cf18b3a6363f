namespace Handbook.Training.Sampling.Endpoints;

/// <summary>An endpoint that speaks the OpenAI chat interface, and how patient to be with it.</summary>
public sealed record EndpointOptions
{
    /// <summary>Its address, up to and with <c>/v1</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary>The model's name there.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// The environment variable that holds the key; null for an endpoint without one. The key itself stands in no recipe, file or
    /// message.
    /// </summary>
    public string? ApiKeyVariable { get; init; }

    /// <summary>How long one request may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a request that failed is repeated.</summary>
    public int MaxRetries { get; init; } = 6;

    /// <summary>The most requests at a time.</summary>
    public int MaxConcurrency { get; init; } = 8;

    /// <summary>The address for messages: without user, query and fragment, which may hold secrets.</summary>
    public string DisplayUrl => Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>What decides its answers, as one line: answers that were kept are used again only under the same one.</summary>
    public string Identity => $"endpoint {DisplayUrl} {Model}";

    /// <summary>Reads the key.</summary>
    /// <exception cref="UserErrorException">The variable is not set.</exception>
    public string? ReadKey() => ApiKeyVariable is null ? null
        : Environment.GetEnvironmentVariable(ApiKeyVariable) is { Length: > 0 } key ? key
        : throw new UserErrorException($"api_key_env: the environment variable {ApiKeyVariable} is not set; it must hold the key of {DisplayUrl}.");
}
