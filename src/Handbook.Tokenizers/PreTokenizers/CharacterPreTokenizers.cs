using Handbook.Tokenizers.Scanning;
using Handbook.Tokenizers.Unicode;

namespace Handbook.Tokenizers.PreTokenizers;

/// <summary>Runs of word characters and runs of other visible ones: <c>\w+|[^\w\s]+</c>.</summary>
internal sealed class WhitespacePreTokenizer : PreTokenizer
{
    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        var pieces = new List<TextPiece>();
        var (start, runKind) = (0, 0);
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CharClasses.CodePointAt(piece.Text, i, out var length);
            var kind = CharClasses.IsWord(codePoint) ? 1 : CharClasses.IsWhiteSpace(codePoint) ? 0 : 2;
            if (kind != runKind)
            {
                if (runKind != 0)
                    pieces.Add(piece.Slice(start, i));
                (start, runKind) = (i, kind);
            }
            i += length;
        }
        if (runKind != 0)
            pieces.Add(piece.Slice(start, piece.Length));
        return pieces;
    }
}

/// <summary>BERT's words: cut at white space, each punctuation character alone.</summary>
internal sealed class BertPreTokenizer : PreTokenizer
{
    private static readonly SequencePreTokenizer Steps = new(
    [
        new SplitPreTokenizer(new CharacterPattern(CharClasses.IsWhiteSpace), SplitBehavior.Removed, invert: false),
        new SplitPreTokenizer(new CharacterPattern(CharClasses.IsPunctuation), SplitBehavior.Isolated, invert: false),
    ]);

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece) => Steps.Split(piece);
}

/// <summary>Pieces of so many characters.</summary>
internal sealed class FixedLengthPreTokenizer(int length) : PreTokenizer
{
    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        var pieces = new List<TextPiece>();
        var (start, count) = (0, 0);
        for (var i = 0; i < piece.Length;)
        {
            CharClasses.CodePointAt(piece.Text, i, out var size);
            i += size;
            if (++count < length)
                continue;
            pieces.Add(piece.Slice(start, i));
            (start, count) = (i, 0);
        }
        if (start < piece.Length)
            pieces.Add(piece.Slice(start, piece.Length));
        return pieces;
    }
}

/// <summary>Cuts where the script changes; Japanese counts as one script, and a space belongs to any.</summary>
internal sealed class UnicodeScriptsPreTokenizer : PreTokenizer
{
    private const int Any = 0;

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        var starts = new List<int>();
        var last = -1;
        for (var i = 0; i < piece.Length;)
        {
            var script = ScriptOf(CharClasses.CodePointAt(piece.Text, i, out var length));
            if (script != Any && script != last)
                starts.Add(i);
            if (script != Any)
                last = script;
            i += length;
        }
        starts.Add(piece.Length);
        // What stands before the first character with a script is lost, as in the library.
        return starts.Zip(starts.Skip(1), (start, end) => piece.Slice(start, end)).ToList();
    }

    private static int ScriptOf(int codePoint)
    {
        if (codePoint == ' ')
            return Any;
        var scripts = Scripts.Instance;
        var script = codePoint == 0x30FC ? scripts.Find("Han") : scripts.Of(codePoint);
        return script != Any && (script == scripts.Find("Hiragana") || script == scripts.Find("Katakana")) ? scripts.Find("Han") : script;
    }
}
