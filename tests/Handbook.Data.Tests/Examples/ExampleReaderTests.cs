using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Examples;

public sealed class ExampleReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("{\"text\":\"a\"}", ExampleShape.Text, "a")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"r\"}],\"text\":\"t\"}",
        ExampleShape.Conversation, "user:q|assistant:r")]
    [InlineData(
        "{\"conversations\":[{\"from\":\"system\",\"value\":\"s\"},{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"r\"}"
        + "]}", ExampleShape.Conversation, "system:s|user:q|assistant:r")]
    [InlineData("{\"instruction\":\"i\",\"input\":\"\",\"output\":\"o\"}", ExampleShape.Conversation, "user:i|assistant:o")]
    [InlineData("{\"instruction\":\"i\",\"input\":\"n\",\"output\":\"o\",\"system\":\"s\"}", ExampleShape.Conversation,
        "system:s|user:i\n\nn|assistant:o")]
    [InlineData("{\"prompt\":\"p\",\"completion\":\"c\"}", ExampleShape.Completion, "p>c")]
    [InlineData("{\"prompt\":[{\"role\":\"user\",\"content\":\"p\"}],\"completion\":[{\"role\":\"assistant\",\"content\":\"c\"}]}",
        ExampleShape.Completion, "user:p>assistant:c")]
    [InlineData("{\"prompt\":\"p\",\"completion\":\"c\",\"label\":1}", ExampleShape.Verdict, "p>c=True")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"p\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"label\":\"false\"}",
        ExampleShape.Verdict, "user:p>assistant:c=False")]
    [InlineData("{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\"}", ExampleShape.Preference, "p>c/r")]
    [InlineData("{\"chosen\":\"The sky is blue.\",\"rejected\":\"The sky is green.\"}", ExampleShape.Preference,
        "The sky is> blue./ green.")]
    [InlineData(
        "{\"chosen\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"rejected\":[{\"role\":\"user\","
        + "\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"r\"}],\"prompt\":\"q\"}", ExampleShape.Preference,
        "user:q>assistant:c/assistant:r")]
    [InlineData(
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"}],\"chosen\":{\"from\":\"gpt\",\"value\":\"c\"},"
        + "\"rejected\":{\"from\":\"gpt\",\"value\":\"r\"}}", ExampleShape.Preference, "user:q>assistant:c/assistant:r")]
    [InlineData("{\"prompt\":\"p\"}", ExampleShape.Prompt, "p")]
    [InlineData("{\"input_ids\":[1,2,3],\"labels\":[-100,2,-100]}", ExampleShape.Tokenized, "1,2,3 False,True,False")]
    public void Read_EveryShape_IsRecognisedFromItsColumns(string row, ExampleShape shape, string expected)
    {
        var source = Source(row);
        var reader = ExampleReader.Recognize(source);
        Assert.Equal(shape, reader.Shape);
        Assert.Equal(expected, Show(reader.Read(source.Read().Single())));
    }

    [Fact]
    public void Recognize_TaskThatWantsText_TakesTextFirst()
    {
        var source = Source("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"body\":\"t\"}");
        Assert.Equal(ExampleShape.Text, ExampleReader.Recognize(source, "body", preferText: true).Shape);
    }

    /// <summary>
    /// The rows of UltraFeedback and of Constitutional AI hold everything: whoever cannot use pairs gets the conversation.
    /// </summary>
    [Fact]
    public void Recognize_MessagesBesidePairs_AreAConversationToWhomPairsAreNoUse()
    {
        const string turn = "[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"";
        var source = Source($"{{\"prompt\":\"q\",\"messages\":{turn}c\"}}],\"chosen\":{turn}c\"}}],\"rejected\":{turn}r\"}}]}}");
        Assert.Equal(ExampleShape.Conversation, ExampleReader.Recognize(source, accepts: shape => shape != ExampleShape.Preference).Shape);
        Assert.Equal(ExampleShape.Preference, ExampleReader.Recognize(source, accepts: shape => shape == ExampleShape.Preference).Shape);
        Assert.Equal(ExampleShape.Preference, ExampleReader.Recognize(source).Shape);
    }

    [Fact]
    public void Read_ToolsAndTemplateArguments_AreHandedOn()
    {
        var source = Source("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"tools\":\"[{\\\"name\\\":\\\"f\\\"}]\","
            + "\"chat_template_kwargs\":{\"enable_thinking\":false,\"x\":null}}");
        var example = ExampleReader.Recognize(source).Read(source.Read().Single());
        Assert.Equal("[{\"name\":\"f\"}]", example.Tools!.ToJsonString());
        Assert.Equal("{\"enable_thinking\":false,\"x\":null}", example.TemplateArguments!.ToJsonString());
    }

    // {0} stands for the file's path.
    [Theory]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}\n{\"messages\":[{\"role\":\"usr\",\"content\":\"q\"}]}",
        "{0}, line 2, column \"messages\": message 1 has the role usr; expected system, developer, "
        + "user, assistant, tool, ipython, function. Did you mean user?")]
    [InlineData("{\"text\":\"a\"}\n{\"text\":7}", "{0}, line 2, column \"text\": a number; expected a text")]
    [InlineData("{\"text\":\"a\"}\n{\"txt\":\"a\"}", "{0}, line 2, column \"text\": missing or null")]
    [InlineData("{\"text\":\"a\"}\n\n{\"text\":\"b", "{0}, line 3: not valid JSON at column ")]
    [InlineData("{\"text\":\"a\"}\n[1]", "{0}, line 2: a row is a list; expected an object with a key for each column")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}\n{\"messages\":[]}",
        "{0}, line 2, column \"messages\": an empty list; expected at least one message")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}\n{\"messages\":[{\"content\":\"q\"}]}",
        "{0}, line 2, column \"messages\": message 1 has no role")]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}\n{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]}",
        "{0}, line 2, column \"messages\": message 1 holds an image; only text is trained")]
    [InlineData("{\"messages\":\"[{'role': 'user', 'content': 'q'}]\"}",
        "{0}, line 1, column \"messages\": holds a Python list in its printed form; expected JSON ([{\"role\": ...}])")]
    [InlineData("{\"prompt\":\"p\",\"completion\":\"c\",\"label\":\"good\"}",
        "{0}, line 1, column \"label\": good; expected true or false")]
    [InlineData("{\"chosen\":\"same\",\"rejected\":\"same\"}",
        "{0}, line 1, column \"rejected\": one of chosen and rejected is the beginning "
        + "of the other: nothing tells the prompt from the answers")]
    [InlineData("{\"input_ids\":[1,2],\"labels\":[1]}", "{0}, line 1, column \"labels\": 1 entry; input_ids has 2")]
    [InlineData("{\"input_ids\":[1,-2]}", "{0}, line 1, column \"input_ids\": the id -2 is negative")]
    public void Read_BadRow_NamesFileRowAndColumn(string rows, string message)
    {
        var source = Source(rows);
        var reader = ExampleReader.Recognize(source);
        var error = Assert.Throws<BadRowException>(() => source.Read().Select(reader.Read).Count(example => example is not null));
        Assert.StartsWith(
            string.Format(System.Globalization.CultureInfo.InvariantCulture,
                message.Replace("[{\"role", "[{{\"role", StringComparison.Ordinal).Replace("...}]", "...}}]", StringComparison.Ordinal),
                source.Location), error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("{\"mesages\":[]}", "the columns mesages are of no known shape", "Did you mean messages by mesages?")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"images\":[\"x\"]}", "column \"images\": only text is trained here",
        "columns")]
    [InlineData("", "split train has no rows", "")]
    public void Recognize_NothingUsable_SaysWhatIsThere(string row, string message, string hint)
    {
        var error = Assert.Throws<UserErrorException>(() => ExampleReader.Recognize(Source(row)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(hint, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_EveryRealFile_GivesExamples()
    {
        // Files whose rows are no examples: trees and lists of completions, for which the words say what is expected.
        var (read, refused) = (new List<string>(), new List<string>());
        foreach (var file in new[] { "sft", "preference" }.SelectMany(name => Directory.GetFiles(SharedFolders.Data(name))).Order())
        {
            var source = RowSource.Open(new DatasetRequest(file), [new LocalDatasetResolver("/")], new SourceOptions());
            try
            {
                var reader = ExampleReader.Recognize(source);
                var count = 0;
                foreach (var row in source.Read())
                {
                    try
                    {
                        Assert.NotEmpty(reader.Read(row).PlainText);
                        count++;
                    }
                    catch (BadRowException)
                    {
                        // Irregular raw rows are what on_bad_row is for.
                    }
                }
                (count > 0 ? read : refused).Add(file);
            }
            catch (UserErrorException)
            {
                refused.Add(file);
            }
        }
        Assert.True(read.Count > 2 * refused.Count, $"read {string.Join(", ", read)}; refused {string.Join(", ", refused)}");
    }

    private RowSource Source(string rows) =>
        RowSource.Open(new DatasetRequest(folder.Write("rows.jsonl", rows)), [new LocalDatasetResolver("/")], new SourceOptions());

    private static string Show(Example example) => example switch
    {
        TextExample text => text.Text,
        ConversationExample conversation => Show(Turns.Of(conversation.Messages)),
        CompletionExample completion => $"{Show(completion.Prompt)}>{Show(completion.Completion)}",
        VerdictExample verdict => $"{Show(verdict.Prompt)}>{Show(verdict.Completion)}={verdict.Desirable}",
        PreferenceExample pair => $"{Show(pair.Prompt)}>{Show(pair.Chosen)}/{Show(pair.Rejected)}",
        PromptExample prompt => Show(prompt.Prompt),
        TokenizedExample tokens => $"{string.Join(',', tokens.TokenIds)} {string.Join(',', tokens.LossMask)}",
        _ => throw new InvalidOperationException(),
    };

    private static string Show(Turns turns) => turns.Text ?? string.Join('|', turns.Messages!.Select(m => $"{m.Role}:{m.Content}"));
}
