using Handbook.Tokenizers.Models;

namespace Handbook.Tokenizers.Fast;

/// <summary>When a mark is put before a stretch of text.</summary>
internal enum MarkInFront
{
    /// <summary>Never.</summary>
    Never,

    /// <summary>Always, as the <c>Prepend</c> normalizer does.</summary>
    Always,

    /// <summary>Unless it begins with a space or mark already, as the <c>Metaspace</c> pre-tokenizer does.</summary>
    UnlessMarked,

    /// <summary>As <see cref="UnlessMarked"/>, for the stretch that begins the text only.</summary>
    FirstUnlessMarked,
}

/// <summary>How spaces become marks.</summary>
/// <param name="Mark">The mark.</param>
/// <param name="Front">When one is put in front.</param>
/// <param name="ByNormalizer">
/// The normalizer makes them, before normalized added tokens are looked for; otherwise the pre-tokenizer does, after.
/// </param>
/// <param name="CutsEverywhere">The pre-tokenizer cuts before every mark.</param>
internal sealed record MarkRule(char Mark, MarkInFront Front, bool ByNormalizer, bool CutsEverywhere);

/// <summary>
/// SentencePiece-like BPE: spaces are marks, and the model gets the text uncut. Cuts are made all the same wherever no merge
/// can ever cross them (<see cref="JoinTable"/>), so words are short and come from the cache.
/// </summary>
internal sealed class MetaspaceEncoder : FastEncoder
{
    private readonly BytePairModel _model;
    private readonly MarkRule _rule;
    private readonly TokenMatcher _normalizedTokens;
    private readonly JoinTable _joins;
    private readonly bool _cutsAnywhere;

    /// <summary>Takes a model without prefixes and suffixes that knows the mark.</summary>
    public MetaspaceEncoder(BytePairModel model, MarkRule rule, TokenMatcher normalizedTokens)
    {
        _model = model;
        _rule = rule;
        _normalizedTokens = normalizedTokens;
        _joins = model.BuildJoinTable();
        _cutsAnywhere = model.BytesStandAlone();
    }

    /// <inheritdoc/>
    public override void EncodeStretch(string text, int start, int end, EncoderScratch scratch)
    {
        var span = text.AsSpan(start, end - start);
        if (_rule.ByNormalizer)
        {
            EncodeMarked(span, start, scratch);
            return;
        }
        var (from, taken) = (0, 0);
        while (_normalizedTokens.TryFind(span, from, taken, out var id, out var range, out from))
        {
            EncodeMarked(span[taken..range.Start], start + taken, scratch);
            scratch.Output.Add(id, start + range.Start, start + range.End);
            taken = range.End;
        }
        EncodeMarked(span[taken..], start + taken, scratch);
    }

    /// <inheritdoc/>
    protected override void EncodeNewWord(ReadOnlySpan<char> word, EncoderScratch scratch) => _model.Tokenize(word, scratch.Tokens);

    /// <summary>Encodes text that stands at <paramref name="position"/> and has its spaces still.</summary>
    private void EncodeMarked(ReadOnlySpan<char> text, int position, EncoderScratch scratch)
    {
        if (text.IsEmpty)
            return;
        var inFront = HasMarkInFront(text, position) ? 1 : 0;
        if (scratch.Units.Length < text.Length + inFront)
            scratch.Units = new char[text.Length * 2 + 1];
        var marked = scratch.Units.AsSpan(0, text.Length + inFront);
        marked[0] = _rule.Mark;
        text.Replace(marked[inFront..], ' ', _rule.Mark);
        var first = scratch.Output.Count;
        EncodeTokensAndWords(marked, position - inFront, scratch);
        if (inFront > 0 && first < scratch.Output.Count)
            ShareFirstCharacter(text, position, ref scratch.Output.Ranges[first]);
    }

    private void EncodeTokensAndWords(ReadOnlySpan<char> marked, int position, EncoderScratch scratch)
    {
        var (from, taken) = (0, 0);
        while (_rule.ByNormalizer && _normalizedTokens.TryFind(marked, from, taken, out var id, out var range, out from))
        {
            EncodeWords(marked[taken..range.Start], position + taken, scratch);
            scratch.Output.Add(id, position + range.Start, position + range.End);
            taken = range.End;
        }
        EncodeWords(marked[taken..], position + taken, scratch);
    }

    private void EncodeWords(ReadOnlySpan<char> marked, int position, EncoderScratch scratch)
    {
        for (var start = 0; start < marked.Length;)
        {
            var end = WordEnd(marked, start);
            AppendWord(marked[start..end], position + start, scratch);
            start = end;
        }
    }

    private int WordEnd(ReadOnlySpan<char> marked, int start)
    {
        var mark = _rule.Mark;
        var previous = marked[start];
        for (var i = start + 1; i < marked.Length; i++)
        {
            var unit = marked[i];
            if (unit == mark && _rule.CutsEverywhere)
                return i;
            // A model that fuses unknown characters may reach over other cuts than those before a mark, which it knows.
            if ((_cutsAnywhere || (unit == mark && previous != mark)) && !_joins.MayJoin(previous, unit) && !char.IsLowSurrogate(unit))
                return i;
            previous = unit;
        }
        return marked.Length;
    }

    /// <summary>The mark in front has no place of its own in the text; it has that of the character after it.</summary>
    private static void ShareFirstCharacter(ReadOnlySpan<char> text, int position, ref TextRange range)
    {
        CharClasses.CodePointAt(text, 0, out var length);
        range = new TextRange(position, Math.Max(range.End, position + length));
    }

    private bool HasMarkInFront(ReadOnlySpan<char> text, int position) => _rule.Front switch
    {
        MarkInFront.Never => false,
        MarkInFront.Always => true,
        MarkInFront.UnlessMarked => !IsMark(text[0]),
        _ => position == 0 && !IsMark(text[0]),
    };

    private bool IsMark(char unit) => unit == ' ' || unit == _rule.Mark;
}
