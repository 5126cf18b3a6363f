using System.Globalization;
using System.Net.Http.Headers;

namespace Handbook.Sampling.Endpoints;

/// <summary>How long a server asks to wait before the next try, in the three forms that there are.</summary>
internal static class RetryAfter
{
    private static readonly string[] Milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"];

    /// <summary>
    /// The wait: of <c>retry-after-ms</c> (OpenAI, Azure), else of <c>Retry-After</c> in seconds or as a date. Null when there is none.
    /// </summary>
    /// <param name="headers">The reply's headers.</param>
    /// <param name="now">The time here, for a date of a server that does not tell its own.</param>
    public static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        foreach (var name in Milliseconds)
        {
            if (Number(Value(headers, name)) is { } wait)
                return TimeSpan.FromMilliseconds(wait);
        }
        var text = Value(headers, "Retry-After");
        if (Number(text) is { } seconds)
            return TimeSpan.FromSeconds(seconds);
        // A date is meant by the server's clock, which need not be ours.
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until)
            ? TimeSpan.FromTicks(Math.Max(0, (until - (headers.Date ?? now)).Ticks)) : null;
    }

    private static string? Value(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault()?.Trim() : null;

    // Beyond that no wait is meant, and none can be told from another.
    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= 0
            ? Math.Min(number, 1e9) : null;
}
