namespace Handbook.Cli;

/// <summary>From whatever ended a command to what the user reads and the exit code.</summary>
internal static class FaultReport
{
    // A message quotes what it found, which may be a megabyte.
    private const int LongestLine = 2000;

    /// <summary>Writes the fault and gives its exit code.</summary>
    /// <param name="fault">What ended the command.</param>
    /// <param name="signalCode">The exit code of the signal that was received; null when there was none.</param>
    /// <param name="isVerbose">Whether to add the stack.</param>
    /// <param name="error">Where to.</param>
    public static int Write(Exception fault, int? signalCode, bool isVerbose, TextWriter error)
    {
        var (code, messages) = Judge(fault, signalCode);
        foreach (var message in messages)
            error.WriteLine(PrintableText.Line(message, LongestLine));
        if (isVerbose && messages.Count > 0)
        {
            foreach (var line in fault.ToString().Split('\n'))
                error.WriteLine(line.TrimEnd('\r'));
        }
        return code;
    }

    private static (int Code, IReadOnlyList<string> Messages) Judge(Exception fault, int? signalCode)
    {
        // A static constructor or a parallel loop wraps what happened in it.
        var causes = Causes(fault).ToList();
        if (causes.OfType<UserErrorException>().FirstOrDefault() is { } mistake)
            return (ExitCodes.UserError, mistake.Problems);
        // A server that fails, or what is not installed, is nothing to look into here: the words are all there is to know.
        if (causes.OfType<MachineException>().FirstOrDefault() is { } lacking)
            return (ExitCodes.Failure, [lacking.Message]);
        if (signalCode is { } code && causes.OfType<OperationCanceledException>().Any())
            return (code, []);
        if (causes.OfType<IOException>().FirstOrDefault(IsDiskFull) is { } full)
        {
            return (ExitCodes.UserError,
                [$"the disk is full: {FirstLine(full.Message)} What was saved before is "
                    + "whole; free some space and start the same command again."]);
        }
        if (causes.OfType<OutOfMemoryException>().Any())
            return (ExitCodes.Failure,
                ["out of memory. Try a smaller per_device_train_batch_size with more "
                    + "gradient_accumulation_steps, or gradient_checkpointing: true."]);
        var last = causes[^1];
        return (ExitCodes.Failure, [$"{FirstLine(last.Message)} ({last.GetType().Name}; --verbose shows where)"]);
    }

    private static IEnumerable<Exception> Causes(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause is AggregateException { InnerExceptions: [var first, ..] }
            ? first : cause.InnerException)
        {
            yield return cause;
            // Only wrappers are looked through: an inner exception of anything else is its history, not its meaning.
            if (cause is not (AggregateException or TypeInitializationException or System.Reflection.TargetInvocationException))
                yield break;
        }
    }

    /// <summary>ENOSPC and EDQUOT of Linux and macOS; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows.</summary>
    private static bool IsDiskFull(IOException fault) => OperatingSystem.IsWindows()
        ? (fault.HResult & 0xFFFF) is 0x70 or 0x27
        : fault.HResult is 28 or 122 or 69;

    private static string FirstLine(string message)
    {
        var end = message.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? message : message[..end].TrimEnd('\r');
    }
}
