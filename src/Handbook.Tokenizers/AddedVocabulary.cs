using System.Buffers;
using Handbook.Tokenizers.Models;
using Handbook.Tokenizers.Normalizers;

namespace Handbook.Tokenizers;

/// <summary>The added tokens: their ids, and where they occur in a text.</summary>
internal sealed class AddedVocabulary
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, AddedToken> _tokens = [];
    private readonly Dictionary<int, string> _normalized = [];
    private readonly HashSet<string> _special = new(StringComparer.Ordinal);
    private readonly TokenMatcher _plainMatcher;
    private readonly TokenMatcher _normalizedMatcher;

    /// <summary>
    /// Adds tokens in order. One that the model knows keeps the model's id; the others count on from the model's size, whatever
    /// ids their file gives them, as in the library.
    /// </summary>
    public AddedVocabulary(IEnumerable<AddedToken> tokens, Vocabulary vocabulary, Normalizer? normalizer)
    {
        var next = vocabulary.Count;
        foreach (var token in tokens.Where(token => token.Content.Length > 0))
        {
            var known = _ids.TryGetValue(token.Content, out var earlier) ? earlier : vocabulary.Find(token.Content);
            var id = known >= 0 ? known : next++;
            _ids[token.Content] = id;
            _tokens[id] = token;
            if (token.Special)
                _special.Add(token.Content);
            if (token.Normalized && normalizer?.Normalize(token.Content) is { } form && form != token.Content)
                _normalized[id] = form;
        }
        _plainMatcher = new TokenMatcher(_tokens.Where(entry => !entry.Value.Normalized)
            .Select(entry => (entry.Value.Content, entry.Key, entry.Value)));
        _normalizedMatcher = new TokenMatcher(_tokens.Where(entry => entry.Value.Normalized)
            .Select(entry => (_normalized.GetValueOrDefault(entry.Key, entry.Value.Content), entry.Key, entry.Value)));
    }

    /// <summary>Tokens by id, ascending.</summary>
    public IReadOnlyDictionary<int, AddedToken> Tokens => _tokens;

    /// <summary>Matches tokens in the text as given.</summary>
    public TokenMatcher PlainMatcher => _plainMatcher;

    /// <summary>Matches tokens in normalized text.</summary>
    public TokenMatcher NormalizedMatcher => _normalizedMatcher;

    /// <summary>The id of an added token, or -1.</summary>
    public int Find(string content) => _ids.TryGetValue(content, out var id) ? id : -1;

    /// <summary>What decoding takes for an id: the normalized form where there is one; null when the id is not an added token.</summary>
    public string? DecodedForm(int id) => _normalized.TryGetValue(id, out var form) ? form
        : _tokens.TryGetValue(id, out var token) ? token.Content : null;

    /// <summary>Whether a token's text is that of a special token.</summary>
    public bool IsSpecial(string token) => _special.Contains(token);
}

/// <summary>Finds added tokens: the leftmost match, the longest of those that begin there.</summary>
internal sealed class TokenMatcher
{
    private readonly Dictionary<char, (string Form, int Id, AddedToken Token)[]> _byFirst;
    private readonly SearchValues<string>? _any;

    /// <summary>Takes each token's spelling in the text, id and flags.</summary>
    public TokenMatcher(IEnumerable<(string Form, int Id, AddedToken Token)> tokens)
    {
        var list = tokens.Where(token => token.Form.Length > 0).ToList();
        _byFirst = list.GroupBy(token => token.Form[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Form.Length).ToArray());
        if (list.Count > 0)
            _any = SearchValues.Create(list.Select(token => token.Form).Distinct(StringComparer.Ordinal).ToArray(),
                StringComparison.Ordinal);
    }

    /// <summary>True when there is nothing to look for.</summary>
    public bool IsEmpty => _any is null;

    /// <summary>
    /// The first token at or after <paramref name="from"/>: its id and the range it takes, white space it swallows
    /// included; false when there is none. <paramref name="taken"/> is where the token before it ended.
    /// </summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, int taken, out int id, out TextRange range, out int resume)
    {
        (id, range, resume) = (-1, default, text.Length);
        while (_any is not null && from < text.Length)
        {
            var found = text[from..].IndexOfAny(_any);
            if (found < 0)
                return false;
            var start = from + found;
            var (form, candidate, token) = LongestAt(text, start);
            var end = start + form.Length;
            from = end;
            if (start < taken || (token.SingleWord && !IsWholeWord(text, start, end)))
                continue;
            while (token.StripLeft && start > taken && char.IsWhiteSpace(text[start - 1]))
                start--;
            while (token.StripRight && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            (id, range, resume) = (candidate, new TextRange(start, end), from);
            return true;
        }
        return false;
    }

    private (string Form, int Id, AddedToken Token) LongestAt(ReadOnlySpan<char> text, int start)
    {
        foreach (var entry in _byFirst[text[start]])
        {
            if (text[start..].StartsWith(entry.Form, StringComparison.Ordinal))
                return entry;
        }
        throw new InvalidOperationException("A token that was found is not in its own list.");
    }

    private static bool IsWholeWord(ReadOnlySpan<char> text, int start, int end)
    {
        if (start > 0)
        {
            var before = start > 1 && char.IsLowSurrogate(text[start - 1]) ? start - 2 : start - 1;
            if (CharClasses.IsWord(CharClasses.CodePointAt(text, before, out _)))
                return false;
        }
        return end == text.Length || !CharClasses.IsWord(CharClasses.CodePointAt(text, end, out _));
    }
}
