using System.Buffers;
using System.Text.Json;

namespace Handbook.Data.Sources.Parquet;

/// <summary>
/// Puts the rows of a row group together from its columns: from the levels beside each value it is known which lists and records are
/// there (Melnik et al., "Dremel: Interactive Analysis of Web-Scale Datasets", VLDB 2010).
/// </summary>
internal sealed class RowAssembler : IDisposable
{
    private readonly IReadOnlyList<SchemaNode> fields;
    private readonly ColumnCursor?[] cursors;
    private readonly ArrayBufferWriter<byte> json = new();
    private readonly Utf8JsonWriter writer;
    private string? problem;

    /// <summary>Begins before the first row.</summary>
    /// <param name="fields">The columns that are kept.</param>
    /// <param name="cursors">For each column of values, before its first value; null for those that are not kept.</param>
    public RowAssembler(IReadOnlyList<SchemaNode> fields, ColumnCursor?[] cursors)
    {
        (this.fields, this.cursors) = (fields, cursors);
        writer = new Utf8JsonWriter(json, SourceRow.WriterOptions);
        foreach (var cursor in cursors)
            cursor?.Next();
    }

    /// <summary>Frees the writer.</summary>
    public void Dispose() => writer.Dispose();

    /// <summary>The next row as JSON, or what is wrong with it.</summary>
    /// <exception cref="InvalidDataException">The columns do not go together.</exception>
    public (byte[] Json, string? Problem) Read()
    {
        json.ResetWrittenCount();
        writer.Reset(json);
        problem = null;
        writer.WriteStartObject();
        foreach (var field in fields)
        {
            writer.WritePropertyName(field.Key);
            Write(field);
        }
        writer.WriteEndObject();
        writer.Flush();
        foreach (var cursor in cursors)
        {
            if (cursor is { Repetition: > 0 })
                throw Unmatched();
        }
        return (json.WrittenSpan.ToArray(), problem);
    }

    /// <summary>Passes over the next row.</summary>
    /// <exception cref="InvalidDataException">The columns do not go together.</exception>
    public void Skip()
    {
        foreach (var cursor in cursors)
        {
            if (cursor is null)
                continue;
            if (cursor.AtEnd)
                throw Unmatched();
            do
                cursor.Next();
            while (cursor.Repetition > 0);
        }
    }

    private void Write(SchemaNode node)
    {
        if (node.IsRepeated)
            WriteItems(node, wraps: false);
        else if (node.IsOptional && First(node).Definition < node.Definition)
            WriteNothing(node);
        else
            WriteThere(node);
    }

    private void WriteThere(SchemaNode node)
    {
        if (node.Column is { } column)
        {
            var cursor = First(node);
            if (cursor.Definition < node.Definition)
                throw Unmatched();
            if (ParquetValues.Write(writer, column, cursor.Value) is { } wrong)
                problem ??= $"column \"{node.Name}\": {wrong}";
            cursor.Next();
        }
        else if (node.Form == GroupForm.List)
        {
            WriteItems(node.Children[0], node.Children[0].WrapsElement);
        }
        else if (node.Form == GroupForm.Map)
        {
            WriteMap(node.Children[0]);
        }
        else
        {
            WriteMembers(node);
        }
    }

    private void WriteMembers(SchemaNode node)
    {
        writer.WriteStartObject();
        foreach (var child in node.Children)
        {
            writer.WritePropertyName(child.Key);
            Write(child);
        }
        writer.WriteEndObject();
    }

    private void WriteItems(SchemaNode repeated, bool wraps)
    {
        writer.WriteStartArray();
        ForEach(repeated, () =>
        {
            if (wraps)
                Write(repeated.Children[0]);
            else
                WriteThere(repeated);
        });
        writer.WriteEndArray();
    }

    private void WriteMap(SchemaNode entries)
    {
        var (key, value) = (entries.Children[0], entries.Children[1]);
        writer.WriteStartObject();
        ForEach(entries, () =>
        {
            var cursor = First(key);
            var isThere = key.Column is not null && cursor.Definition == key.Definition;
            writer.WritePropertyName(isThere ? ParquetValues.Key(key.Column!, cursor.Value) : "");
            Pass(key);
            Write(value);
        });
        writer.WriteEndObject();
    }

    private void ForEach(SchemaNode repeated, Action write)
    {
        var cursor = First(repeated);
        if (cursor.Definition < repeated.Definition)
        {
            Pass(repeated);
            return;
        }
        do
            write();
        while (cursor.Repetition == repeated.Repetition);
        if (cursor.Repetition > repeated.Repetition)
            throw Unmatched();
    }

    private void WriteNothing(SchemaNode node)
    {
        writer.WriteNullValue();
        Pass(node);
    }

    private void Pass(SchemaNode node)
    {
        for (var i = 0; i < node.ColumnCount; i++)
            cursors[node.FirstColumn + i]!.Next();
    }

    private ColumnCursor First(SchemaNode node)
    {
        var cursor = cursors[node.FirstColumn]!;
        return cursor.AtEnd ? throw Unmatched() : cursor;
    }

    private static InvalidDataException Unmatched() => new("its columns do not hold the same rows");
}
