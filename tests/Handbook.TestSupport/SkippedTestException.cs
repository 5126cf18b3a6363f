namespace Handbook.TestSupport;

/// <summary>Thrown by a test that cannot run here, wherever it finds out: it counts as skipped, not as failed.</summary>
/// <param name="need">What such tests need, in words that fit behind "skipped tests need".</param>
/// <param name="missing">What of it is missing in this case.</param>
public sealed class SkippedTestException(string need, string missing) : Exception($"needs {need} ({missing} is missing)");
