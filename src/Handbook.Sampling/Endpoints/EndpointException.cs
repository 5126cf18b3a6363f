using System.Net;

namespace Handbook.Sampling.Endpoints;

/// <summary>An endpoint that did not answer as it should. The message is one line and never holds the key.</summary>
public sealed class EndpointException : MachineException
{
    /// <summary>Reports a failure.</summary>
    public EndpointException(string message, Exception? cause = null) : base(message, cause) { }

    /// <summary>The HTTP status; null when there was none.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>Whether asking again may help: too many requests, a fault of the server, a broken connection or answer.</summary>
    public bool IsTransient { get; init; }

    /// <summary>Whether this request is to blame and not the endpoint: too long, or filtered.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>
    /// Whether this request may be to blame when asking again does not help: the server says that all is well, but what it replies is no
    /// answer. One that answers others refuses this request so; one that goes on like that is to blame itself.
    /// </summary>
    public bool MayBeRefusal { get; init; }

    /// <summary>
    /// The first of the prompts that were asked together, as far as every answer to them was there; the fault ended the others.
    /// </summary>
    public IReadOnlyList<SampledPrompt> Finished { get; init; } = [];

    /// <summary>How long the server asks to wait; null when it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
