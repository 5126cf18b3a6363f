using Spectre.Console;

namespace Handbook.Cli;

/// <summary>A table of results: drawn for people, plain for pipes.</summary>
internal static class ResultTable
{
    /// <summary>Writes it; the first column is text, the others figures.</summary>
    public static void Write(IReadOnlyList<string> columns, IReadOnlyList<IReadOnlyList<string>> rows, Terminal terminal)
    {
        var table = new Table { Border = terminal.IsInteractive ? TableBorder.Rounded : TableBorder.Ascii };
        foreach (var (i, name) in columns.Index())
            table.AddColumn(new TableColumn(Markup.Escape(PrintableText.Line(name))) { Alignment = i == 0 ? Justify.Left : Justify.Right });
        foreach (var row in rows)
            table.AddRow([.. row.Select(cell => Markup.Escape(PrintableText.Line(cell)))]);
        terminal.Ansi.Write(table);
    }
}
