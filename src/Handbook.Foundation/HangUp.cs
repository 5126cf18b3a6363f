using System.Runtime.InteropServices;

namespace Handbook;

/// <summary>SIGHUP, which a terminal sends to its programs when it goes away.</summary>
public static partial class HangUp
{
    private const int Number = 1;
    private const nint Ignored = 1;

    /// <summary>True when the process was started so that it outlives its terminal (<c>nohup</c>): the signal must stay ignored.</summary>
    public static bool IsIgnored()
    {
        if (OperatingSystem.IsWindows())
            return false;
        // The only call that is the same on every system tells by replacing.
        var before = Signal(Number, Ignored);
        if (before != Ignored)
            _ = Signal(Number, before);
        return before == Ignored;
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int number, nint handler);
}
