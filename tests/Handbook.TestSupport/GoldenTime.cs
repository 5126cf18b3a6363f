namespace Handbook.TestSupport;

/// <summary>The clock of the golden vectors: 2026-01-02 03:04:05, a Friday.</summary>
public sealed class GoldenTime : TimeProvider
{
    public static readonly GoldenTime Instance = new();

    public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
}
