namespace Handbook.Tokenizers.Normalizers;

/// <summary>Changes the characters of a piece before it is cut.</summary>
internal abstract class Normalizer
{
    /// <summary>Normalizes <paramref name="piece"/> in place.</summary>
    public abstract void Normalize(TextPiece piece);

    /// <summary>True when it is sure, and quickly known, that <see cref="Normalize(TextPiece)"/> would leave the text as it is.</summary>
    public virtual bool LeavesUnchanged(ReadOnlySpan<char> text) => text.IsEmpty;

    /// <summary>The normalized form of a text of its own.</summary>
    public string Normalize(string text)
    {
        var piece = TextPiece.FromOriginal(text, 0, text.Length);
        Normalize(piece);
        return piece.Text.ToString();
    }
}

/// <summary>One normalizer after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<Normalizer> steps) : Normalizer
{
    /// <summary>The normalizers in order.</summary>
    public IReadOnlyList<Normalizer> Steps { get; } = steps;

    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        foreach (var step in Steps)
            step.Normalize(piece);
    }

    /// <inheritdoc/>
    public override bool LeavesUnchanged(ReadOnlySpan<char> text)
    {
        foreach (var step in Steps)
        {
            if (!step.LeavesUnchanged(text))
                return false;
        }
        return true;
    }
}
