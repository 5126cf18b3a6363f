namespace Handbook.Tokenizers.Scanning;

/// <summary>The regular expressions that have a hand-written scanner, known by their text.</summary>
internal static class PatternTable
{
    /// <summary>The scanner for a pattern, or null when there is none.</summary>
    public static WordScanner? Find(string regex) => regex switch
    {
        Gpt2Scanner.Pattern => new Gpt2Scanner(isolateDigits: false),
        TiktokenScanner.PatternOfThreeDigits => new TiktokenScanner(digits: 3),
        TiktokenScanner.PatternOfOneDigit => new TiktokenScanner(digits: 1),
        O200kScanner.Pattern => new O200kScanner(),
        _ => null,
    };
}
