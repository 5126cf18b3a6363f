using Handbook.Tokenizers.Normalizers;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.PreTokenizers;

/// <summary>Cuts pieces into smaller ones before the model sees them.</summary>
internal abstract class PreTokenizer
{
    /// <summary>The pieces of <paramref name="piece"/>, in order; empty ones are dropped by the caller.</summary>
    public abstract IEnumerable<TextPiece> Split(TextPiece piece);
}

/// <summary>One pre-tokenizer after the other.</summary>
internal sealed class SequencePreTokenizer(IReadOnlyList<PreTokenizer> steps) : PreTokenizer
{
    /// <summary>The pre-tokenizers in order.</summary>
    public IReadOnlyList<PreTokenizer> Steps { get; } = steps;

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        IEnumerable<TextPiece> pieces = [piece];
        foreach (var step in Steps)
            pieces = pieces.Where(part => part.Length > 0).SelectMany(step.Split).ToList();
        return pieces;
    }
}

/// <summary>Splits at the matches of a pattern.</summary>
internal sealed class SplitPreTokenizer(SplitPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    /// <summary>What is looked for.</summary>
    public SplitPattern Pattern { get; } = pattern;

    /// <summary>What becomes of the matches.</summary>
    public SplitBehavior Behavior { get; } = behavior;

    /// <summary>Matches and the stretches between them change places.</summary>
    public bool Invert { get; } = invert;

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        var parts = Pattern.Find(piece.Text);
        if (Invert)
            parts = parts.ConvertAll(part => part with { IsMatch = !part.IsMatch });
        return Splitting.Apply(parts, Behavior).ConvertAll(part => piece.Slice(part.Start, part.End));
    }
}

/// <summary>Words by GPT-2's pattern, spelled as byte characters.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : PreTokenizer
{
    private static readonly ScannerPattern Words = new(new Gpt2Scanner(isolateDigits: false));

    /// <summary>A piece that does not begin with a space gets one.</summary>
    public bool AddPrefixSpace { get; } = addPrefixSpace;

    /// <summary>Whether GPT-2's pattern cuts the text; otherwise only the spelling changes.</summary>
    public bool UseRegex { get; } = useRegex;

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        if (AddPrefixSpace && !piece.Text.StartsWith(' '))
            piece.Prepend(" ");
        List<TextPiece> pieces = UseRegex
            ? Words.Find(piece.Text).ConvertAll(part => piece.Slice(part.Start, part.End))
            : [piece];
        foreach (var part in pieces)
            ByteLevelNormalizer.ToByteCharacters(part);
        return pieces;
    }
}

/// <summary>Where Metaspace puts its mark.</summary>
internal enum PrependScheme
{
    /// <summary>Before every piece.</summary>
    Always,

    /// <summary>Before the piece that begins the text.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,
}

/// <summary>Spaces become a visible mark, which also begins the text.</summary>
internal sealed class MetaspacePreTokenizer(string mark, PrependScheme scheme, bool split) : PreTokenizer
{
    private static readonly StringPattern Space = new(" ");
    private readonly StringPattern _mark = new(mark);

    /// <summary>The mark, one character.</summary>
    public string Mark => _mark.Value;

    /// <summary>Where the mark is put in front.</summary>
    public PrependScheme Scheme { get; } = scheme;

    /// <summary>Whether the text is cut before each mark.</summary>
    public bool SplitsAtMarks { get; } = split;

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece)
    {
        piece.Replace(Space.Find(piece.Text), Mark);
        var mayPrepend = Scheme == PrependScheme.Always || (Scheme == PrependScheme.First && piece.OriginalStart == 0);
        if (mayPrepend && !piece.Text.StartsWith(Mark))
            piece.Prepend(Mark);
        if (!SplitsAtMarks)
            return [piece];
        return Splitting.Apply(_mark.Find(piece.Text), SplitBehavior.MergedWithNext)
            .ConvertAll(part => piece.Slice(part.Start, part.End));
    }
}
