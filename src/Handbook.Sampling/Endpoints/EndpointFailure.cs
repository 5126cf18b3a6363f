using System.Net;
using System.Net.Http.Headers;

namespace Handbook.Sampling.Endpoints;

/// <summary>What a reply without an answer means: ask again, give up this request, or end the run.</summary>
/// <param name="options">The endpoint.</param>
/// <param name="clean">Makes one short line of a server's words.</param>
/// <param name="clock">The time, for dates of servers that do not tell theirs.</param>
internal sealed class EndpointFailure(EndpointOptions options, Func<string, string> clean, TimeProvider clock)
{
    /// <summary>The exception for a reply.</summary>
    /// <param name="response">The reply's status and headers.</param>
    /// <param name="fault">What its body says; null when it says nothing.</param>
    public Exception Of(HttpResponseMessage response, ServerFault? fault)
    {
        // A gateway that answers 200 says in its body which status the server behind it had.
        var status = response.IsSuccessStatusCode && fault?.Status is { } inner ? (HttpStatusCode)inner : response.StatusCode;
        var said =
            $"{options.DisplayUrl}: {(int)status} "
            + $"{Phrase(response, status)}{(clean(fault?.Reason ?? "") is { Length: > 0 } reason ? ": " + reason : "")}";
        if ((int)status is >= 300 and < 400)
            return Redirect(response, said);
        if (fault?.IsFlagged == true)
            return new EndpointException(said) { Status = status, IsRefusal = true };
        if (Final(status, fault) is { } advice)
            return new UserErrorException($"{said}. {advice}");
        var mayPass = IsPassing(status, response.Headers);
        return new EndpointException(said)
        {
            Status = status,
            IsTransient = mayPass || response.IsSuccessStatusCode && !IsOfRequest(status, fault),
            IsRefusal = !mayPass && IsOfRequest(status, fault),
            MayBeRefusal = (int)status < 300,
            RetryAfter = RetryAfter.Of(response.Headers, clock.GetUtcNow()),
        };
    }

    /// <summary>Why nothing that this run asks can succeed; null when it may.</summary>
    private string? Final(HttpStatusCode status, ServerFault? fault) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => options.ApiKeyVariable is { } name
            ? $"The key comes from the environment variable {name}." : "api_key_env names the environment variable that holds the key.",
        HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.Gone =>
            $"The address must end before /chat/completions, and {options.Model} must be a model there.",
        HttpStatusCode.PaymentRequired => Quota,
        _ => fault?.Code.Contains("insufficient_quota", StringComparison.Ordinal) == true ? Quota : null,
    };

    private const string Quota = "The account there has no credit left.";

    private static bool IsPassing(HttpStatusCode status, HttpResponseHeaders headers) =>
        // What OpenAI's and Anthropic's servers say outright goes before what the status suggests.
        headers.NonValidated.TryGetValues("x-should-retry", out var values) && bool.TryParse(values.FirstOrDefault(), out var says) ? says
            : status is HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests
                || (int)status >= 500;

    private static bool IsOfRequest(HttpStatusCode status, ServerFault? fault) =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity
        || (int)status < 300 && fault is not null
            && new[] { "invalid_request", "context_length", "context_size", "bad_request" }
                .Any(sign => fault.Code.Contains(sign, StringComparison.Ordinal));

    /// <summary>A redirect is named and not followed: it would carry key and prompts where nobody sent them.</summary>
    private UserErrorException Redirect(HttpResponseMessage response, string said)
    {
        var location = response.Headers.NonValidated.TryGetValues("Location", out var values) ? values.FirstOrDefault() : null;
        if (location is null || !Uri.TryCreate(options.Url, location, out var target) || target.Scheme is not ("http" or "https"))
            return new UserErrorException(
                $"{said}: a redirect that names no address. Is {options.DisplayUrl} the address of the chat interface?");
        var shown = clean(EndpointOptions.Display(target));
        var meant = shown.EndsWith(EndpointOptions.Operation, StringComparison.Ordinal)
            ? shown[..^EndpointOptions.Operation.Length] : shown;
        return new UserErrorException($"{said}: a redirect to {shown}, which is not followed, since key and prompts would go there. If "
            + $"that is meant, give url: {meant}");
    }

    private string Phrase(HttpResponseMessage response, HttpStatusCode status) =>
        status == response.StatusCode && clean(response.ReasonPhrase ?? "") is { Length: > 0 } phrase ? phrase : status.ToString();
}
