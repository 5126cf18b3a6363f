using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Sources;

namespace Handbook.Data.Examples;

/// <summary>Turns rows of one shape into examples.</summary>
/// <param name="shape">The shape all rows have.</param>
/// <param name="options">Columns and their names.</param>
/// <param name="textColumn">The column of plain text.</param>
public sealed class ExampleReader(ExampleShape shape, SourceOptions options, string textColumn = "text")
{
    private const int RowsToLookAt = 20;
    private const int RowsToFindAShape = 10_000;
    private static readonly string[] PictureColumns = ["image", "images", "audio", "audios", "video", "videos"];

    /// <summary>The shape of the rows.</summary>
    public ExampleShape Shape => shape;

    /// <summary>The shape and the columns that told it, for the user.</summary>
    public string Recognised { get; private init; } = shape.Words();

    /// <summary>
    /// Recognises the shape from the first good rows (a column may be null in some). The finding is to be told to the user.
    /// </summary>
    /// <param name="source">The rows.</param>
    /// <param name="textColumn">The column of plain text.</param>
    /// <param name="preferText">True when the task wants text even where the row has more.</param>
    /// <param name="accepts">Which shapes the task can use, for rows that have several; null for all.</param>
    /// <param name="skipBadRows">True when broken rows are left out: however many there are, a good one is looked for.</param>
    /// <exception cref="UserErrorException">There is no row, or their columns are of no known shape.</exception>
    public static ExampleReader Recognize(
        RowSource source, string textColumn = "text", bool preferText = false, Predicate<ExampleShape>? accepts = null,
        bool skipBadRows = false)
    {
        var columns = new List<string>();
        var (looked, first, problem) = (0, (RowPlace?)null, (BadRowException?)null);
        foreach (var row in source.Read())
        {
            first ??= row.Place;
            try
            {
                using var document = row.Parse();
                columns.AddRange(new RowColumns(document.RootElement, source.Options).Names.Except(columns).ToList());
                looked++;
            }
            catch (BadRowException e)
            {
                // Others are reported with their own message when rows are read for use.
                problem ??= e;
                if (!skipBadRows && columns.Count == 0)
                    throw e.AsUserError();
            }
            if (looked >= (Shape() is null ? RowsToFindAShape : RowsToLookAt))
                break;
        }
        if (first is null)
            throw new UserErrorException($"{source.Location}: split {source.Request.Split} has no rows");
        if (columns.Count == 0)
            throw problem?.AsUserError() ?? new UserErrorException($"{source.Location}: rows have no columns");
        var shape = Shape() ?? throw new UserErrorException(
            $"{first.Value.File}: the columns {string.Join(", ", columns)} are of no known shape; expected "
            + $"{ShapeTable.Described}.{Hint(columns, textColumn)}");
        if (columns.Intersect(PictureColumns).FirstOrDefault() is { } picture)
            throw new UserErrorException($"{first.Value.File}: column \"{picture}\": only text is trained here; "
                + "leave it out with columns to train on the text alone");
        return new ExampleReader(shape, source.Options, textColumn) { Recognised = ShapeTable.Describe(shape, columns, textColumn) };

        ExampleShape? Shape() => ShapeTable.Recognize(columns, textColumn, preferText, accepts);
    }

    /// <summary>Reads one row.</summary>
    /// <exception cref="BadRowException">It is broken or misses what its shape needs.</exception>
    public Example Read(SourceRow row)
    {
        using var document = row.Parse();
        return Read(document.RootElement, row.Place);
    }

    /// <summary>Reads one row that is parsed already.</summary>
    /// <exception cref="BadRowException">It misses what its shape needs.</exception>
    public Example Read(JsonElement row, RowPlace place)
    {
        var columns = new RowColumns(row, options);
        var example = Build(columns, place);
        return example with
        {
            Tools = Json(columns, place, "tools") switch
            {
                null => null,
                JsonArray tools => tools,
                _ => throw new BadRowException(place, "tools", "expected a list of tools"),
            },
            TemplateArguments = Json(columns, place, "chat_template_kwargs") switch
            {
                null => null,
                JsonObject arguments => arguments,
                _ => throw new BadRowException(place, "chat_template_kwargs", "expected an object"),
            },
        };
    }

    private Example Build(RowColumns row, RowPlace place) => shape switch
    {
        ExampleShape.Text => new TextExample(Text(row, place, textColumn)) { Place = place },
        ExampleShape.Conversation => Conversation(row, place),
        ExampleShape.Completion => new CompletionExample(Side(row, place, "prompt"), Side(row, place, "completion")) { Place = place },
        ExampleShape.Preference => PreferenceReader.Read(row, place),
        ExampleShape.Verdict => Verdict(row, place),
        ExampleShape.Prompt => new PromptExample(Side(row, place, "prompt")) { Place = place },
        _ => TokenizedReader.Read(row, place),
    };

    private static ConversationExample Conversation(RowColumns row, RowPlace place)
    {
        foreach (var column in new[] { "messages", "conversations", "conversation" })
        {
            if (row.TryGet(column, out _))
                return new ConversationExample(WithSystem(row, Messages(row, place, column))) { Place = place };
        }
        if (!row.TryGet("instruction", out _))
            throw new BadRowException(place, "messages", "missing or null");
        var input = row.TryGet("input", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        var instruction = Text(row, place, "instruction");
        return new ConversationExample(
        [
            .. WithSystem(row, [new Message { Role = "user", Content = input.Length == 0 ? instruction : $"{instruction}\n\n{input}" }]),
            new Message { Role = "assistant", Content = Text(row, place, "output") },
        ]) { Place = place };
    }

    /// <summary>A <c>system</c> column stands before a conversation that has no system turn of its own.</summary>
    private static List<Message> WithSystem(RowColumns row, List<Message> messages) =>
        row.TryGet("system", out var system) && system.ValueKind == JsonValueKind.String && system.GetString() is { Length: > 0 } text
                && messages[0].Role != "system"
            ? [new Message { Role = "system", Content = text }, .. messages]
            : messages;

    private static VerdictExample Verdict(RowColumns row, RowPlace place)
    {
        var desirable = Label(row, place);
        if (row.TryGet("completion", out _))
            return new VerdictExample(Side(row, place, "prompt"), Side(row, place, "completion"), desirable) { Place = place };
        var messages = Messages(row, place, "messages");
        if (messages.Count < 2 || messages[^1].Role != "assistant")
            throw new BadRowException(place, "messages", "must end with the assistant's turn that the label judges, after a prompt");
        return new VerdictExample(Turns.Of(messages[..^1]), Turns.Of(messages[^1..]), desirable) { Place = place };
    }

    private static bool Label(RowColumns row, RowPlace place)
    {
        if (!row.TryGet("label", out var label))
            throw new BadRowException(place, "label", "missing or null");
        return label.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number when label.TryGetInt32(out var number) && number is 0 or 1 => label.GetInt32() == 1,
            JsonValueKind.String when bool.TryParse(label.GetString(), out var flag) => flag,
            JsonValueKind.String when label.GetString() is "0" or "1" => label.GetString() == "1",
            _ => throw new BadRowException(place, "label", $"{label}; expected true or false"),
        };
    }

    /// <summary>A column that must be a text.</summary>
    internal static string Text(RowColumns row, RowPlace place, string column)
    {
        if (!row.TryGet(column, out var value))
            throw new BadRowException(place, column, "missing or null");
        return value.ValueKind == JsonValueKind.String ? value.GetString()!
            : throw new BadRowException(place, column, $"{JsonKind.Of(value)}; expected a text");
    }

    /// <summary>A column that may be a text or messages.</summary>
    internal static Turns Side(RowColumns row, RowPlace place, string column)
    {
        if (!row.TryGet(column, out var value))
            throw new BadRowException(place, column, "missing or null");
        return MessageReader.Read(value, place, column) is { } messages ? Turns.Of(messages) : Turns.Of(value.GetString()!);
    }

    private static List<Message> Messages(RowColumns row, RowPlace place, string column)
    {
        if (!row.TryGet(column, out var value))
            throw new BadRowException(place, column, "missing or null");
        return MessageReader.Read(value, place, column) ?? throw new BadRowException(place, column, "a text; expected a list of messages");
    }

    private static JsonNode? Json(RowColumns row, RowPlace place, string column)
    {
        if (!row.TryGet(column, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.String)
            return MessageReader.ToNode(value, keepsNulls: !FileFormats.FillsNulls(place.File));
        if (value.GetString() is not { Length: > 0 } text)
            return null;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            throw new BadRowException(place, column, "a text that is not JSON");
        }
    }

    private static string Hint(List<string> columns, string textColumn)
    {
        string[] known =
        [
            textColumn, "messages", "prompt", "completion", "chosen", "rejected", "conversations", "instruction", "output", "input_ids",
        ];
        return columns.Select(column => (column, near: NearestName.Find(column, known)))
            .FirstOrDefault(pair => pair.near is not null) is { near: not null } hit
            ? $" Did you mean {hit.near} by {hit.column}?"
            : "";
    }
}
