namespace Handbook.Data.Examples;

/// <summary>The shapes by their columns, those that say most first.</summary>
public static class ShapeTable
{
    private static readonly (string[] Columns, ExampleShape Shape)[] Shapes =
    [
        (["input_ids"], ExampleShape.Tokenized),
        (["chosen", "rejected"], ExampleShape.Preference),
        (["prompt", "completion", "label"], ExampleShape.Verdict),
        (["prompt", "completion"], ExampleShape.Completion),
        (["messages", "label"], ExampleShape.Verdict),
        (["messages"], ExampleShape.Conversation),
        (["conversations"], ExampleShape.Conversation),
        (["conversation"], ExampleShape.Conversation),
        (["instruction", "output"], ExampleShape.Conversation),
        (["prompt"], ExampleShape.Prompt),
    ];

    /// <summary>The columns each shape needs, for messages.</summary>
    public const string Described =
        "text; messages; prompt + completion; chosen + rejected (+ prompt); prompt + completion + label; conversations (ShareGPT); " +
        "instruction + output (Alpaca); input_ids (+ labels)";

    /// <summary>
    /// The shape that a row of these columns has, or null. Plain text is what <paramref name="textColumn"/> holds; it comes
    /// first when the task wants text (continued pretraining), else last. Rows that hold messages beside chosen and rejected, as
    /// those of UltraFeedback and of Constitutional AI do, are conversations to whom <paramref name="accepts"/> refuses pairs.
    /// </summary>
    public static ExampleShape? Recognize(
        IReadOnlyCollection<string> columns, string textColumn, bool preferText, Predicate<ExampleShape>? accepts = null)
    {
        var hasText = columns.Contains(textColumn);
        if (hasText && preferText)
            return ExampleShape.Text;
        foreach (var (needed, shape) in Shapes)
        {
            if (shape == ExampleShape.Preference && columns.Contains("messages") && accepts?.Invoke(shape) == false)
                continue;
            if (needed.All(columns.Contains))
                return hasText && shape == ExampleShape.Prompt ? ExampleShape.Text : shape;
        }
        return hasText ? ExampleShape.Text : null;
    }

    /// <summary>Which of the columns made rows be of a shape, and what such rows are called, for the user.</summary>
    public static string Describe(ExampleShape shape, IReadOnlyCollection<string> columns, string textColumn)
    {
        var needed = shape == ExampleShape.Text
            ? [textColumn] : Shapes.First(row => row.Shape == shape && row.Columns.All(columns.Contains)).Columns;
        var known = needed[0] switch { "conversations" => " (ShareGPT)", "instruction" => " (Alpaca)", _ => "" };
        return $"{shape.Words()}, from {string.Join(", ", needed)}{known}";
    }
}
