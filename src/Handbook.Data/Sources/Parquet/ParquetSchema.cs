using System.Text.Json;

namespace Handbook.Data.Sources.Parquet;

/// <summary>How bytes are laid out, by Parquet's numbers.</summary>
internal enum PhysicalType
{
    Boolean, Int32, Int64, Int96, Float, Double, Bytes, FixedBytes,
}

/// <summary>What a value means, as far as it is written otherwise than its bytes say.</summary>
internal enum ValueMeaning
{
    Plain, Text, Json, Unsigned, Decimal, Date, Time, Timestamp, Uuid, Interval, Half,
}

/// <summary>How a group of fields is written.</summary>
internal enum GroupForm
{
    Object, List, Map,
}

/// <summary>A column of values.</summary>
/// <param name="Number">Its place among the columns of values.</param>
/// <param name="Type">How its bytes are laid out.</param>
/// <param name="Width">Bytes of a value of fixed length.</param>
/// <param name="Meaning">What a value means.</param>
/// <param name="Scale">Digits behind a decimal's point, or of a second's fraction.</param>
internal sealed record ValueColumn(int Number, PhysicalType Type, int Width, ValueMeaning Meaning, int Scale);

/// <summary>A field of the schema: a column of values, or a group of fields.</summary>
internal sealed class SchemaNode
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its name as JSON has it.</summary>
    public required JsonEncodedText Key { get; init; }

    /// <summary>Whether it may be missing.</summary>
    public required bool IsOptional { get; init; }

    /// <summary>Whether there may be several in a row.</summary>
    public required bool IsRepeated { get; init; }

    /// <summary>The definition level from which on it is there.</summary>
    public required int Definition { get; init; }

    /// <summary>The repetition level of one more of it.</summary>
    public required int Repetition { get; init; }

    /// <summary>The column, of a field of values.</summary>
    public ValueColumn? Column { get; init; }

    /// <summary>The fields, of a group.</summary>
    public IReadOnlyList<SchemaNode> Children { get; set; } = [];

    /// <summary>How a group is written.</summary>
    public GroupForm Form { get; set; }

    /// <summary>Of a list's repeated field: whether its only child is the element, and not itself.</summary>
    public bool WrapsElement { get; set; }

    /// <summary>The number of the first column of values below it.</summary>
    public required int FirstColumn { get; init; }

    /// <summary>How many columns of values there are below it, one after the other.</summary>
    public int ColumnCount { get; set; }
}

/// <summary>Understands a file's schema, written as a list of fields in which groups say how many children they have.</summary>
internal sealed class ParquetSchema
{
    // Lists take three levels each; rows are parsed 128 levels deep.
    private const int DeepestNesting = 400;
    private readonly List<ThriftStruct> fields;
    private readonly List<(ValueColumn Column, SchemaNode Node)> columns = [];
    private int next = 1;

    /// <summary>Understands the fields; the first is the file.</summary>
    /// <exception cref="InvalidDataException">They make no tree.</exception>
    public ParquetSchema(IEnumerable<ThriftStruct> fields)
    {
        this.fields = [.. fields];
        var count = this.fields.Count == 0 ? 0 : this.fields[0].Integer(5) ?? 0;
        var top = new List<SchemaNode>();
        for (var i = 0L; i < count; i++)
            top.Add(Node(0, 0, 0));
        Top = top;
    }

    /// <summary>The columns that a row has.</summary>
    public IReadOnlyList<SchemaNode> Top { get; }

    /// <summary>The columns of values and their fields, in the order in which row groups have them.</summary>
    public IReadOnlyList<(ValueColumn Column, SchemaNode Node)> Columns => columns;

    private SchemaNode Node(int definition, int repetition, int depth)
    {
        if (next >= fields.Count || depth > DeepestNesting)
            throw new InvalidDataException(depth > DeepestNesting ? "its columns are nested too deeply" : "its schema ends early");
        var field = fields[next++];
        var kind = field.Integer(3) ?? 0;
        var name = field.Text(4) ?? "";
        var children = field.Integer(5) ?? 0;
        var isValue = children == 0;
        var node = new SchemaNode
        {
            Name = name,
            Key = JsonEncodedText.Encode(name),
            IsOptional = kind == 1,
            IsRepeated = kind == 2,
            Definition = definition + (kind == 0 ? 0 : 1),
            Repetition = repetition + (kind == 2 ? 1 : 0),
            Column = isValue ? Column(field, columns.Count, name) : null,
            FirstColumn = columns.Count,
        };
        if (node.Column is not null)
            columns.Add((node.Column, node));
        var below = new List<SchemaNode>();
        for (var i = 0L; i < children; i++)
            below.Add(Node(node.Definition, node.Repetition, depth + 1));
        node.Children = below;
        node.ColumnCount = columns.Count - node.FirstColumn;
        if (!isValue)
            node.Form = Form(field, node);
        return node;
    }

    /// <summary>
    /// Lists and maps, by the rules for files of every age:
    /// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types.
    /// </summary>
    private static GroupForm Form(ThriftStruct field, SchemaNode node)
    {
        var (logical, converted) = (field.Struct(10)?.Member, field.Integer(6));
        if (node.Children is not [{ IsRepeated: true } repeated])
            return GroupForm.Object;
        if (logical == 2 || converted is 1 or 2)
            return repeated.Children.Count == 2 ? GroupForm.Map : GroupForm.Object;
        if (logical != 3 && converted != 3)
            return GroupForm.Object;
        repeated.WrapsElement = repeated.Children.Count == 1 && repeated.Name != "array" && repeated.Name != node.Name + "_tuple";
        return GroupForm.List;
    }

    private static ValueColumn Column(ThriftStruct field, int number, string name)
    {
        if (field.Integer(1) is not { } type || type is < 0 or > (long)PhysicalType.FixedBytes)
            throw new InvalidDataException($"column \"{name}\" has no type that is known");
        var physical = (PhysicalType)type;
        var width = field.Integer(2) ?? 0;
        if (physical == PhysicalType.FixedBytes && width is < 1 or > 1 << 20)
            throw new InvalidDataException($"column \"{name}\" has values of {width} bytes");
        var (meaning, scale) = Meaning(field, physical);
        return new ValueColumn(number, physical, (int)width, meaning, scale);
    }

    private static (ValueMeaning, int) Meaning(ThriftStruct field, PhysicalType type)
    {
        var scale = (int)Math.Clamp(field.Integer(7) ?? 0, 0, 1000);
        if (field.Struct(10) is { Member: > 0 } logical)
        {
            switch (logical.Member)
            {
                case 1 or 4: return (ValueMeaning.Text, 0);
                case 5: return (ValueMeaning.Decimal, (int)Math.Clamp(logical.Struct(5)?.Integer(1) ?? scale, 0, 1000));
                case 6: return (ValueMeaning.Date, 0);
                case 7: return (ValueMeaning.Time, Fraction(logical.Struct(7)));
                case 8: return (ValueMeaning.Timestamp, Fraction(logical.Struct(8)));
                case 10: return (logical.Struct(10)?.Flag(2) == false ? ValueMeaning.Unsigned : ValueMeaning.Plain, 0);
                case 12: return (ValueMeaning.Json, 0);
                case 14: return (ValueMeaning.Uuid, 0);
                case 15: return (ValueMeaning.Half, 0);
            }
        }
        return field.Integer(6) switch
        {
            0 or 4 => (ValueMeaning.Text, 0),
            5 => (ValueMeaning.Decimal, scale),
            6 => (ValueMeaning.Date, 0),
            7 => (ValueMeaning.Time, 3),
            8 => (ValueMeaning.Time, 6),
            9 => (ValueMeaning.Timestamp, 3),
            10 => (ValueMeaning.Timestamp, 6),
            11 or 12 or 13 or 14 => (ValueMeaning.Unsigned, 0),
            19 => (ValueMeaning.Json, 0),
            21 => (ValueMeaning.Interval, 0),
            _ => (type == PhysicalType.Int96 ? ValueMeaning.Timestamp : ValueMeaning.Plain, 9),
        };
    }

    private static int Fraction(ThriftStruct? time) => time?.Struct(2)?.Member switch { 1 => 3, 2 => 6, _ => 9 };
}
