using System.Text;

namespace Handbook.Cli;

/// <summary>
/// What stands between the program and a terminal, file or pipe. Data cannot steer the terminal: a line that is written is one
/// line, and control characters are shown as escapes. And writing never ends a command: what cannot be shown (a full disk, a
/// terminal that is gone) is dropped and remembered.
/// </summary>
/// <param name="inner">Where the text goes.</param>
/// <param name="isRaw">True for text that steers the terminal on purpose: colours, bars that are drawn over.</param>
internal sealed class TerminalWriter(TextWriter inner, bool isRaw = false) : TextWriter(inner.FormatProvider)
{
    /// <summary>Why something could not be written, of the first time; null while everything could.</summary>
    public Exception? Fault { get; private set; }

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (value is not null)
            Try(() => inner.Write(isRaw ? value : PrintableText.Lines(value)));
    }

    /// <summary>Writes one line; line ends inside it are escaped.</summary>
    public override void WriteLine(string? value) => Try(() => inner.WriteLine(isRaw || value is null ? value : PrintableText.Line(value)));

    /// <inheritdoc/>
    public override void WriteLine() => Try(inner.WriteLine);

    /// <inheritdoc/>
    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Fault ??= error;
        }
    }
}
