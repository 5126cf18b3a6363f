namespace Handbook.Tokenizers.Regex;

/// <summary>A part of a parsed pattern.</summary>
internal abstract record RegexNode
{
    /// <summary>Fewest characters it can match.</summary>
    public abstract int Least { get; }

    /// <summary>Most characters it can match; <see cref="int.MaxValue"/> for no limit.</summary>
    public abstract int Most { get; }

    /// <summary>A sum that stays at no limit.</summary>
    protected static int Sum(int one, int other) => one == int.MaxValue || other == int.MaxValue ? int.MaxValue : one + other;
}

/// <summary>One character of a set.</summary>
internal sealed record SetNode(CharSet Set) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => 1;

    /// <inheritdoc/>
    public override int Most => 1;
}

/// <summary>One part after the other.</summary>
internal sealed record ConcatenationNode(IReadOnlyList<RegexNode> Parts) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => Parts.Aggregate(0, (sum, part) => Sum(sum, part.Least));

    /// <inheritdoc/>
    public override int Most => Parts.Aggregate(0, (sum, part) => Sum(sum, part.Most));
}

/// <summary>The first choice that lets the rest match.</summary>
internal sealed record AlternationNode(IReadOnlyList<RegexNode> Choices) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => Choices.Min(choice => choice.Least);

    /// <inheritdoc/>
    public override int Most => Choices.Max(choice => choice.Most);
}

/// <summary>A part several times.</summary>
internal sealed record RepeatNode(RegexNode Body, int Min, int Max, bool IsLazy) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => (int)Math.Min(int.MaxValue - 1L, (long)Body.Least * Min);

    /// <inheritdoc/>
    public override int Most =>
        Max == int.MaxValue || Body.Most == int.MaxValue ? int.MaxValue : (int)Math.Min(int.MaxValue, (long)Body.Most * Max);
}

/// <summary>A part that is not tried again once it has matched.</summary>
internal sealed record AtomicNode(RegexNode Body) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => Body.Least;

    /// <inheritdoc/>
    public override int Most => Body.Most;
}

/// <summary>A condition on what stands before or after.</summary>
internal sealed record LookNode(RegexNode Body, bool IsBehind, bool IsNegative) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => 0;

    /// <inheritdoc/>
    public override int Most => 0;
}

/// <summary>What an anchor asks for.</summary>
internal enum AnchorKind
{
    /// <summary>Beginning of a line.</summary>
    LineStart,

    /// <summary>End of a line.</summary>
    LineEnd,

    /// <summary>Beginning of the text.</summary>
    TextStart,

    /// <summary>End of the text.</summary>
    TextEnd,

    /// <summary>End of the text, or before the line break that ends it.</summary>
    TextEndOrLastBreak,

    /// <summary>Border of a word.</summary>
    WordBorder,

    /// <summary>No border of a word.</summary>
    NoWordBorder,
}

/// <summary>A place in the text.</summary>
internal sealed record AnchorNode(AnchorKind Kind) : RegexNode
{
    /// <inheritdoc/>
    public override int Least => 0;

    /// <inheritdoc/>
    public override int Most => 0;
}
