using Handbook.Training.Progress;

namespace Handbook.Cli.Progress;

/// <summary>Chooses how a run is shown.</summary>
internal static class TerminalProgress
{
    /// <summary>Live lines where a person watches a terminal that can draw over lines, plain ones elsewhere.</summary>
    public static ITrainingProgress Of(Terminal terminal) =>
        terminal.IsInteractive && terminal.Ansi.Profile.Capabilities.Ansi
            ? new LiveProgress(terminal.Ansi, terminal.Clock)
            : new PlainProgress(terminal.Progress);
}
