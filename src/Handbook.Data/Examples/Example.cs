using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Sources;

namespace Handbook.Data.Examples;

/// <summary>One example as data: nothing rendered, nothing tokenized.</summary>
public abstract record Example
{
    /// <summary>Where it stands.</summary>
    public required RowPlace Place { get; init; }

    /// <summary>Tools offered to the model, for the chat template; null when the row has none.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>The row's <c>chat_template_kwargs</c>: more variables for the chat template; null when the row has none.</summary>
    public JsonObject? TemplateArguments { get; init; }

    /// <summary>Everything a reader would read, for counting, cleaning and looking for duplicates.</summary>
    public abstract string PlainText { get; }
}

/// <summary>Plain text.</summary>
public sealed record TextExample(string Text) : Example
{
    /// <inheritdoc/>
    public override string PlainText => Text;
}

/// <summary>A whole conversation.</summary>
public sealed record ConversationExample(IReadOnlyList<Message> Messages) : Example
{
    /// <inheritdoc/>
    public override string PlainText => Turns.Of(Messages).PlainText;
}

/// <summary>A prompt and what should follow it; both plain or both messages.</summary>
public sealed record CompletionExample(Turns Prompt, Turns Completion) : Example
{
    /// <inheritdoc/>
    public override string PlainText => $"{Prompt.PlainText}\n{Completion.PlainText}";
}

/// <summary>A prompt with a better and a worse completion; the common beginning is in the prompt, never in the completions.</summary>
public sealed record PreferenceExample(Turns Prompt, Turns Chosen, Turns Rejected) : Example
{
    /// <summary>
    /// By how much the better completion should score above the worse one, for reward models; null where the row says nothing.
    /// </summary>
    public double? Margin { get; init; }

    /// <inheritdoc/>
    public override string PlainText => $"{Prompt.PlainText}\n{Chosen.PlainText}\n{Rejected.PlainText}";
}

/// <summary>A prompt, one completion, and whether it was liked.</summary>
public sealed record VerdictExample(Turns Prompt, Turns Completion, bool Desirable) : Example
{
    /// <inheritdoc/>
    public override string PlainText => $"{Prompt.PlainText}\n{Completion.PlainText}";
}

/// <summary>Something to complete.</summary>
public sealed record PromptExample(Turns Prompt) : Example
{
    /// <inheritdoc/>
    public override string PlainText => Prompt.PlainText;
}

/// <summary>Tokens made elsewhere.</summary>
/// <param name="TokenIds">The ids.</param>
/// <param name="LossMask">Which count in the loss, from <c>labels</c> (-100 does not) or a mask column.</param>
public sealed record TokenizedExample(int[] TokenIds, bool[] LossMask) : Example
{
    /// <inheritdoc/>
    public override string PlainText => "";
}
