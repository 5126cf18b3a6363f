using System.Runtime.InteropServices;
using System.Text.Json;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Data.Sources;

namespace Handbook.Sampling;

/// <summary>Reads the prompts of a dataset: of every shape that has one, without the completions that it may hold.</summary>
public static class PromptReader
{
    /// <summary>Where datasets are looked for: the working folder, then this machine's Hugging Face cache.</summary>
    internal static IReadOnlyList<IDatasetResolver> Resolvers => [new LocalDatasetResolver("."), HubCacheResolver.OfThisMachine()];

    /// <summary>The prompts, in the order of the rows.</summary>
    /// <exception cref="UserErrorException">There is no such dataset, no prompt in it, or a row cannot be used.</exception>
    public static IReadOnlyList<PromptRow> Read(PromptOptions options)
    {
        var source = RowSource.Open(options.Dataset, Resolvers, new SourceOptions { Rename = options.RenameColumns });
        var reader = ExampleReader.Recognize(source, options.TextColumn, preferText: false, skipBadRows: options.SkipBadRows);
        var prompts = new List<PromptRow>();
        foreach (var row in source.Read().Skip(options.Skip))
        {
            if (prompts.Count == options.MaxPrompts)
                break;
            try
            {
                prompts.Add(BadRowException.Guard(row.Place, () => Prompt(reader, row, options, prompts.Count)));
            }
            catch (BadRowException bad)
            {
                if (!options.SkipBadRows)
                    throw bad.AsUserError();
            }
        }
        return prompts.Count > 0 ? prompts
            : throw new UserErrorException($"{source.Location}: split {options.Dataset.Split} has no prompt that could be used.");
    }

    /// <summary>The files that the prompts are read from.</summary>
    internal static IEnumerable<string> Files(PromptOptions options) =>
        RowSource.Open(options.Dataset, Resolvers, new SourceOptions()).Files;

    private static PromptRow Prompt(ExampleReader reader, SourceRow row, PromptOptions options, int index)
    {
        using var document = row.Parse();
        var example = reader.Read(document.RootElement, row.Place);
        var turns = Of(example);
        var id = document.RootElement.TryGetProperty("prompt_id", out var value)
                && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? value.ToString() : index.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new PromptRow(index, id, options.IsPlainText ? Plain(turns, row.Place) : Chat(turns, row.Place, options.SystemPrompt),
            JsonMarshal.GetRawUtf8Value(document.RootElement).ToArray())
        {
            Template = TemplateInputs.Of(example),
        };
    }

    private static Turns Of(Example example) => example switch
    {
        TextExample text => Turns.Of(text.Text),
        ConversationExample conversation => Turns.Of(conversation.Messages),
        CompletionExample completion => completion.Prompt,
        PreferenceExample preference => preference.Prompt,
        VerdictExample verdict => verdict.Prompt,
        PromptExample prompt => prompt.Prompt,
        _ => throw new BadRowException(example.Place, "input_ids", "a row of tokens has no prompt that could be completed"),
    };

    private static Turns Plain(Turns turns, RowPlace place) => turns.Text is { Length: > 0 } ? turns
        : throw new BadRowException(place, "prompt", "prompt_form: text needs a text that is not empty");

    private static Turns Chat(Turns turns, RowPlace place, string? systemPrompt)
    {
        var messages = (turns.Messages ?? [new Message { Role = "user", Content = turns.Text }]).ToList();
        // What the assistant said last is what will be sampled anew.
        while (messages is [.., { Role: "assistant" }])
            messages.RemoveAt(messages.Count - 1);
        if (messages.Count == 0 || messages[^1].Role == "system")
            throw new BadRowException(place, "messages", "there is no user turn to answer");
        if (systemPrompt is not null && messages[0].Role != "system")
            messages.Insert(0, new Message { Role = "system", Content = systemPrompt });
        return Turns.Of(messages);
    }
}
