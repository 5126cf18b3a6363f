namespace Handbook.Training.Sampling.Endpoints;

/// <summary>
/// Repeats requests that failed for a passing reason, waiting twice as long each time, or as long as the server asks. The wait is
/// spread by the request's seed, so that requests that failed together do not come back together.
/// </summary>
/// <param name="name">What is asked, for messages.</param>
/// <param name="maxRetries">How often a request is repeated.</param>
/// <param name="timeout">How long one try may take.</param>
/// <param name="clock">Waits.</param>
public sealed class Retries(string name, int maxRetries, TimeSpan timeout, TimeProvider clock)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

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
            {
                throw new EndpointException(
                    FormattableString.Invariant($"{failure.Message} (tried {attempt + 1} times). What was made before is kept; the same command goes on from there."), failure)
                { Status = failure.Status };
            }
            await Task.Delay(Wait(attempt, seed, failure.RetryAfter), clock, stop).ConfigureAwait(false);
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
            throw new EndpointException(FormattableString.Invariant($"{name}: no answer within {timeout.TotalSeconds:0.#} s"), error) { IsTransient = true };
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException)
        {
            throw new EndpointException($"{name}: {error.Message.Split('\n')[0]}", error) { IsTransient = true };
        }
    }

    private static TimeSpan Wait(int attempt, ulong seed, TimeSpan? asked)
    {
        var spread = 0.5 + (seed * 0x9E3779B97F4A7C15UL + (ulong)attempt * 0xD1B54A32D192ED03UL >> 40) / (double)(1UL << 24) / 2;
        var wait = First * Math.Pow(2, Math.Min(attempt, 10)) * spread;
        wait = asked > wait ? asked.Value : wait;
        return wait < Longest ? wait : Longest;
    }
}
