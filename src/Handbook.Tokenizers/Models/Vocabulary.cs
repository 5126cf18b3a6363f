namespace Handbook.Tokenizers.Models;

/// <summary>Tokens and their ids, both ways.</summary>
internal sealed class Vocabulary
{
    /// <summary>Ids above this are refused: no real vocabulary comes near, and a table of that length must stay affordable.</summary>
    public const int LargestId = (1 << 24) - 1;

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsBySpan;
    private readonly string?[] _tokens;

    /// <summary>Takes tokens with their ids; where a token occurs twice the last id holds.</summary>
    /// <exception cref="InvalidDataException">An id is negative or above <see cref="LargestId"/>.</exception>
    public Vocabulary(IReadOnlyCollection<KeyValuePair<string, int>> entries)
    {
        _ids = new Dictionary<string, int>(entries.Count, StringComparer.Ordinal);
        var largest = -1;
        foreach (var (token, id) in entries)
        {
            if (id is < 0 or > LargestId)
                throw new InvalidDataException($"model.vocab: token \"{token}\" has the id {id}; ids go from 0 to {LargestId}");
            _ids[token] = id;
            largest = Math.Max(largest, id);
        }
        _idsBySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _tokens = new string?[largest + 1];
        foreach (var (token, id) in _ids)
            _tokens[id] = token;
    }

    /// <summary>Number of tokens.</summary>
    public int Count => _ids.Count;

    /// <summary>The largest id plus one.</summary>
    public int IdEnd => _tokens.Length;

    /// <summary>Tokens with their ids.</summary>
    public IReadOnlyDictionary<string, int> Entries => _ids;

    /// <summary>The id of a token, or -1.</summary>
    public int Find(ReadOnlySpan<char> token) => _idsBySpan.TryGetValue(token, out var id) ? id : -1;

    /// <summary>The token of an id, or null.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;
}
