namespace Handbook.Cli;

/// <summary>The exit codes of every command; documented in <c>handbook --help</c> and held by tests.</summary>
public static class ExitCodes
{
    /// <summary>The command did what it was asked.</summary>
    public const int Success = 0;

    /// <summary>
    /// A fault of the program or of the machine (out of memory, a full disk, a bug): one line, a stack with <c>--verbose</c>.
    /// </summary>
    public const int Failure = 1;

    /// <summary>The input is wrong: one line a problem that says where and what was expected; nothing was written.</summary>
    public const int UserError = 2;

    /// <summary>Ended by SIGHUP (the terminal went away) after saving what can be continued; 128 + 1.</summary>
    public const int HungUp = 129;

    /// <summary>Ended by Ctrl-C (SIGINT) after saving what can be continued; 128 + 2, as shells expect.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by SIGTERM after saving what can be continued; 128 + 15, as schedulers expect.</summary>
    public const int Terminated = 143;
}
