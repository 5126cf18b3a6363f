using System.Text.Json;
using Handbook.Data.Examples;

namespace Handbook.Sampling;

/// <summary>A prompt of a dataset.</summary>
/// <param name="Index">Its place among the prompts.</param>
/// <param name="Id">The row's <c>prompt_id</c>, else its place as text.</param>
/// <param name="Turns">What is completed: messages, or a plain text.</param>
/// <param name="Row">The row as its file has it: scorers look into its columns.</param>
public sealed record PromptRow(int Index, string Id, Turns Turns, ReadOnlyMemory<byte> Row)
{
    /// <summary>Tools and variables for the chat template.</summary>
    public TemplateInputs Template { get; init; } = TemplateInputs.None;

    /// <summary>The text of a column of the row; numbers and truth values as JSON writes them, null when it is missing.</summary>
    public string? Column(string name)
    {
        using var document = JsonDocument.Parse(Row);
        return !document.RootElement.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
            : value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
    }
}
