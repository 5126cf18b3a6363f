using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>What a tokenizer puts around a text, and where an end of turn already stands.</summary>
internal sealed class SpecialTokenRules
{
    private readonly Tokenizer _tokenizer;
    private readonly int[] _prefix;

    public SpecialTokenRules(Tokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        var probe = tokenizer.Encode("a", addSpecialTokens: true);
        _prefix = [.. probe.Ids.TakeWhile((_, i) => probe.IsAdded[i])];
    }

    /// <summary>True when the tokenizer itself begins texts with BOS.</summary>
    public bool AddsBos => _prefix.Length > 0;

    /// <summary>What to put before tokens so that they begin with the tokenizer's own BOS once; nothing when they do.</summary>
    public ReadOnlySpan<int> MissingPrefix(ReadOnlySpan<int> ids) => ids.StartsWith(_prefix) ? [] : _prefix;

    /// <summary>What to put before tokens so that they begin with BOS once, whether or not the tokenizer adds it itself.</summary>
    public ReadOnlySpan<int> MissingBos(ReadOnlySpan<int> ids) =>
        _tokenizer.BosId is not { } bos || (ids.Length > 0 && ids[0] == bos) ? [] : new[] { bos };

    /// <summary>True when the tokens end with EOS or another special token, white space aside: the turn has an end.</summary>
    public bool EndsTurn(ReadOnlySpan<int> ids)
    {
        for (var i = ids.Length - 1; i >= 0; i--)
        {
            if (ids[i] == _tokenizer.EosId || _tokenizer.IsSpecial(ids[i]))
                return true;
            if (!string.IsNullOrWhiteSpace(_tokenizer.Decode(ids.Slice(i, 1), skipSpecialTokens: false)))
                return false;
        }
        return false;
    }
}
