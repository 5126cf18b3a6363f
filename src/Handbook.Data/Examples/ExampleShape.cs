namespace Handbook.Data.Examples;

/// <summary>What a row of a dataset is an example of, told by its columns.</summary>
public enum ExampleShape
{
    /// <summary><c>text</c>: plain text.</summary>
    Text,

    /// <summary>
    /// <c>messages</c>, ShareGPT's <c>conversations</c>, or Alpaca's <c>instruction</c>, <c>input</c>, <c>output</c>: a conversation.
    /// </summary>
    Conversation,

    /// <summary><c>prompt</c> and <c>completion</c>.</summary>
    Completion,

    /// <summary><c>chosen</c> and <c>rejected</c>, with or without <c>prompt</c>.</summary>
    Preference,

    /// <summary><c>prompt</c>, <c>completion</c> and <c>label</c>: one completion and a verdict on it.</summary>
    Verdict,

    /// <summary><c>prompt</c> alone: something to complete, for sampling.</summary>
    Prompt,

    /// <summary><c>input_ids</c>, perhaps with <c>labels</c>: already tokens.</summary>
    Tokenized,
}

/// <summary>What a person calls them.</summary>
public static class ExampleShapeWords
{
    /// <summary>The word for rows of a shape.</summary>
    public static string Words(this ExampleShape shape) => shape switch
    {
        ExampleShape.Text => "plain text",
        ExampleShape.Conversation => "conversations",
        ExampleShape.Completion => "prompts with their completions",
        ExampleShape.Preference => "preference pairs",
        ExampleShape.Verdict => "answers with a verdict",
        ExampleShape.Prompt => "prompts",
        _ => "tokens",
    };
}
