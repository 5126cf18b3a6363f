using System.Runtime.InteropServices;

namespace Handbook.Cli;

/// <summary>
/// Ctrl-C and SIGTERM. The first cancels <see cref="Token"/>, so that a run can save and leave with
/// <see cref="ExitCodes.Interrupted"/> or <see cref="ExitCodes.Terminated"/>; a second one ends the process at once.
/// </summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration interrupt;
    private readonly PosixSignalRegistration terminate;
    private readonly TextWriter error;

    public Signals(TextWriter error)
    {
        this.error = error;
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive);
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>The exit code that belongs to the first signal; null while there was none.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Set for a command that has nothing to save: already the first signal ends the process, once what waits for <see cref="Token"/> was told.</summary>
    public bool EndAtOnce { get; set; }

    /// <summary>Gives the signals back.</summary>
    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        source.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        // Not cancelling the context lets the runtime end the process, which is what a second signal asks for.
        if (ExitCode is not null)
            return;
        context.Cancel = !EndAtOnce;
        ExitCode = context.Signal == PosixSignal.SIGINT ? ExitCodes.Interrupted : ExitCodes.Terminated;
        error.WriteLine(EndAtOnce ? "stopped" : "stopping: what can be continued is saved first; the same signal again stops at once");
        source.Cancel();
    }
}
