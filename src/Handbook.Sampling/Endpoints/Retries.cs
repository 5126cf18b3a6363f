namespace Handbook.Sampling.Endpoints;

/// <summary>
/// Repeats requests that failed for a passing reason, waiting twice as long each time, or as long as the server asks. The wait is
/// spread by the request's seed, so that requests that failed together do not come back together.
/// </summary>
/// <param name="name">What is asked, for messages.</param>
/// <param name="maxRetries">How often a request is repeated.</param>
/// <param name="timeout">How long one try may take.</param>
/// <param name="clock">Waits.</param>
/// <param name="note">Hears of long waits.</param>
public sealed class Retries(string name, int maxRetries, TimeSpan timeout, TimeProvider clock, Action<string>? note = null)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestOfOurs = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestAsked = TimeSpan.FromDays(1);
    // Numbers beyond are cut when they are read.
    private static readonly TimeSpan LongestTold = TimeSpan.FromDays(1000);
    private static readonly TimeSpan Remarkable = TimeSpan.FromSeconds(30);
    private long noted;

    /// <summary>Runs a request until it succeeds, fails for good, or has been tried often enough.</summary>
    /// <param name="seed">Spreads waits.</param>
    /// <param name="request">The request.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="EndpointException">It failed for good.</exception>
    public async Task<T> RunAsync<T>(ulong seed, Func<CancellationToken, Task<T>> request, CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            EndpointException failure;
            try
            {
                return await TryAsync(request, stop).ConfigureAwait(false);
            }
            catch (EndpointException error) when (error.IsTransient)
            {
                failure = error;
            }
            if (attempt == maxRetries)
                throw GivenUp(failure, attempt == 0 ? "tried once" : FormattableString.Invariant($"tried {attempt + 1} times"));
            if (failure.RetryAfter > LongestTold)
                throw GivenUp(failure, FormattableString.Invariant($"it asks to wait longer than {LongestTold.TotalDays:0} days"));
            if (failure.RetryAfter > LongestAsked)
                throw GivenUp(failure, FormattableString.Invariant($"it asks to wait {failure.RetryAfter.Value.TotalDays:0.#} days"));
            await Task.Delay(Wait(attempt, seed, failure), clock, stop).ConfigureAwait(false);
        }
    }

    private async Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> request, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            return await request(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new EndpointException(FormattableString.Invariant($"{name}: no answer within {timeout.TotalSeconds:0.#} s"), error)
            {
                IsTransient = true,
            };
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException)
        {
            throw new EndpointException($"{name}: {error.Message.Split('\n')[0]}", error) { IsTransient = true };
        }
    }

    private static EndpointException GivenUp(EndpointException failure, string how) =>
        new($"{failure.Message} ({how})", failure) { Status = failure.Status, MayBeRefusal = failure.MayBeRefusal };

    /// <summary>Longer and longer up to a minute, and never less than the server asks.</summary>
    private TimeSpan Wait(int attempt, ulong seed, EndpointException failure)
    {
        var spread = 0.5 + (seed * 0x9E3779B97F4A7C15UL + (ulong)attempt * 0xD1B54A32D192ED03UL >> 40) / (double)(1UL << 24) / 2;
        var wait = First * Math.Pow(2, Math.Min(attempt, 10)) * spread;
        wait = wait < LongestOfOurs ? wait : LongestOfOurs;
        if (failure.RetryAfter is not { } asked || asked < wait)
            return wait;
        var now = clock.GetTimestamp();
        var last = Interlocked.Read(ref noted);
        // Requests that run at a time are told the same: one note for all of them.
        if (asked >= Remarkable && (last == 0 || clock.GetElapsedTime(last, now) >= Remarkable)
            && Interlocked.CompareExchange(ref noted, now, last) == last)
            note?.Invoke(FormattableString.Invariant($"waiting {asked.TotalSeconds:0} s, as the server asks: {failure.Message}"));
        return asked;
    }
}
