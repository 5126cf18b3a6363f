using System.Text.RegularExpressions;

namespace Handbook.Cli.Tests;

/// <summary>What every screen keeps to: singular and plural agree with their numbers, no name of an enum's member is shown,
/// and no exception of .NET speaks in words of its own.</summary>
internal static partial class ScreenWords
{
    // What a person calls so too.
    private static readonly string[] Words = ["AdamW"];

    private static readonly HashSet<string> Members =
    [
        .. new[] { typeof(Terminal), typeof(Training.Options.RunOptions), typeof(Recipes.Recipe), typeof(Data.Store.TokenStore),
                typeof(Models.ModelFolder), typeof(Tokenizers.Tokenizer), typeof(Torch.DType) }
            .SelectMany(type => type.Assembly.GetTypes()).Where(type => type.IsEnum).SelectMany(Enum.GetNames).Except(Words),
    ];

    /// <summary>Fails when a text does not.</summary>
    public static void Check(string text)
    {
        Assert.DoesNotMatch(OneOfMany(), text);
        Assert.DoesNotMatch(WordsOfTheRuntime(), text);
        Assert.Empty(InnerCapitals().Matches(text).Select(match => match.Value).Where(Members.Contains));
    }

    [GeneratedRegex(
        @"(?<![\d.,/:])\b1 (rows|examples|tokens|labels|keys|prompts|answers|steps|runs|files|threads|times|epochs|rounds|pairs|"
        + @"micro-batches|entries|checkpoints|documents|questions)\b")]
    private static partial Regex OneOfMany();

    [GeneratedRegex(@"LineNumber|BytePositionInLine|JSON payload|JSON tokens|reader options|element of type|node must be|Object reference")]
    private static partial Regex WordsOfTheRuntime();

    [GeneratedRegex(@"(?<![\w./""\\-])[A-Z][a-z0-9]+[A-Z]\w*")]
    private static partial Regex InnerCapitals();
}
