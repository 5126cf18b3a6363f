using System.Globalization;
using System.Text;

namespace Handbook.Tokenizers.Models;

/// <summary>
/// The most probable way to spell a piece as tokens (Kudo 2018), found by Viterbi; characters outside the vocabulary cost ten
/// more than the worst token, and neighbouring ones become one token or their bytes.
/// </summary>
internal sealed class UnigramModel : TokenModel
{
    private const double UnknownPenalty = 10;

    private readonly double[] _scores;
    private readonly int _unknownId;
    private readonly double _unknownScore;
    private readonly int[]? _byteTokens;
    private readonly TokenTrie _trie = new();

    /// <summary>Takes tokens with their log-probabilities; places in the list are ids.</summary>
    public UnigramModel(IReadOnlyList<(string Token, double Score)> pieces, int unknownId, bool byteFallback)
    {
        Vocabulary = new Vocabulary(pieces.Select((piece, id) => KeyValuePair.Create(piece.Token, id)).ToList());
        _scores = pieces.Select(piece => piece.Score).ToArray();
        _unknownId = unknownId;
        _unknownScore = (_scores.Length == 0 ? 0 : _scores.Min()) - UnknownPenalty;
        foreach (var (token, id) in Vocabulary.Entries)
            _trie.Add(token, id);
        if (byteFallback)
            _byteTokens = Enumerable.Range(0, 256)
                .Select(value => Vocabulary.Find(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"))).ToArray();
    }

    /// <inheritdoc/>
    public override Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> piece, List<PieceToken> output)
    {
        var best = FindBestPath(piece);
        var path = new List<PieceToken>();
        for (var end = piece.Length; end > 0;)
        {
            var (start, id) = (best[end].Start, best[end].Id);
            if (id == _unknownId && path.Count > 0 && path[^1].Id == _unknownId)
                path[^1] = path[^1] with { Start = start };
            else
                path.Add(new PieceToken(id, start, end));
            end = start;
        }
        path.Reverse();
        foreach (var token in path)
            Emit(piece, token, output);
    }

    private Node[] FindBestPath(ReadOnlySpan<char> piece)
    {
        var best = new Node[piece.Length + 1];
        Array.Fill(best, new Node(0, -1, 0));
        best[0] = new Node(0, 0, 0);
        for (var start = 0; start < piece.Length;)
        {
            var soFar = best[start].Score;
            CharClasses.CodePointAt(piece, start, out var length);
            var hasSingle = false;
            var node = TokenTrie.Root;
            for (var end = start; end < piece.Length && _trie.Step(ref node, piece[end]);)
            {
                end++;
                if (_trie.TokenAt(node) is not (>= 0 and var id))
                    continue;
                hasSingle |= end == start + length;
                Improve(ref best[end], _scores[id] + soFar, start, id);
            }
            if (!hasSingle)
            {
                if (_unknownId < 0)
                    throw new UserErrorException("tokenizer.json: a character is not in the vocabulary, and model.unk_id is not set.");
                Improve(ref best[start + length], _unknownScore + soFar, start, _unknownId);
            }
            start += length;
        }
        return best;
    }

    private static void Improve(ref Node node, double score, int start, int id)
    {
        if (node.Start < 0 || score > node.Score)
            node = new Node(score, start, id);
    }

    private void Emit(ReadOnlySpan<char> piece, PieceToken token, List<PieceToken> output)
    {
        if (token.Id != _unknownId)
        {
            output.Add(token);
            return;
        }
        // Joined unknown characters may spell a token after all.
        var text = piece[token.Start..token.End];
        if (Vocabulary.Find(text) is >= 0 and var known)
        {
            output.Add(token with { Id = known });
            return;
        }
        var bytes = _byteTokens is null ? [] : Encoding.UTF8.GetBytes(text.ToString());
        if (bytes.Length == 0 || Array.Exists(bytes, value => _byteTokens![value] < 0))
        {
            output.Add(token);
            return;
        }
        foreach (var value in bytes)
            output.Add(token with { Id = _byteTokens![value] });
    }

    private readonly record struct Node(double Score, int Start, int Id);
}

/// <summary>Tokens by their UTF-16 code units, one step a unit.</summary>
internal sealed class TokenTrie
{
    /// <summary>Where every token begins.</summary>
    public const int Root = 0;

    private readonly Dictionary<long, int> _steps = [];
    private readonly List<int> _tokens = [-1];

    /// <summary>Adds a token.</summary>
    public void Add(string token, int id)
    {
        var node = Root;
        foreach (var unit in token)
        {
            var key = ((long)node << 16) | unit;
            if (!_steps.TryGetValue(key, out var next))
            {
                next = _tokens.Count;
                _steps.Add(key, next);
                _tokens.Add(-1);
            }
            node = next;
        }
        if (node != Root)
            _tokens[node] = id;
    }

    /// <summary>Goes on by one unit; false when no token does.</summary>
    public bool Step(ref int node, char unit) => _steps.TryGetValue(((long)node << 16) | unit, out node);

    /// <summary>The token that ends at a node, or -1.</summary>
    public int TokenAt(int node) => _tokens[node];
}
