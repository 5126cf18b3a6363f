using System.Runtime.InteropServices;

namespace Handbook.Cli;

/// <summary>
/// Ctrl-C, SIGTERM, and SIGHUP of a terminal that goes away. The first cancels <see cref="Token"/>, so that a run can save and
/// leave with <see cref="ExitCodes.Interrupted"/>, <see cref="ExitCodes.Terminated"/> or <see cref="ExitCodes.HungUp"/>; a second
/// Ctrl-C or SIGTERM ends the process at once. SIGHUP is left alone where it was ignored from the start (<c>nohup</c>).
/// </summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private readonly TextWriter error;
    private bool isAsked;

    public Signals(TextWriter error)
    {
        this.error = error;
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive));
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive));
        if (!HangUp.IsIgnored())
            registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, Receive));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>The exit code that belongs to the first signal; null while there was none.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>
    /// Set for a command that has nothing to save: already the first signal ends the process, once what waits for
    /// <see cref="Token"/> was told.
    /// </summary>
    public bool EndAtOnce { get; set; }

    /// <summary>Gives the signals back.</summary>
    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        source.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        // Not cancelling the context lets the runtime end the process, which is what a second signal asks for. A terminal that goes
        // may say so more than once, and a shutdown says it beside SIGTERM: that asks for nothing more.
        var isHangUp = context.Signal == PosixSignal.SIGHUP;
        if (isAsked && !isHangUp)
            return;
        context.Cancel = !EndAtOnce;
        isAsked |= !isHangUp;
        if (ExitCode is not null)
            return;
        ExitCode = isHangUp ? ExitCodes.HungUp : context.Signal == PosixSignal.SIGINT ? ExitCodes.Interrupted : ExitCodes.Terminated;
        error.WriteLine(EndAtOnce ? "stopped" : "stopping: what can be continued is saved first; the same signal again stops at once");
        source.Cancel();
    }
}
