namespace Handbook.Tokenizers.Models;

/// <summary>
/// Which characters a merge can ever join: the pairs of neighbouring UTF-16 code units inside tokens that merges make. Where
/// it says no, text can be cut without changing its tokens. A yes may be wrong (pairs beyond ASCII share bits), which only
/// leaves a cut out.
/// </summary>
internal sealed class JoinTable
{
    private const int HashBits = 20;
    private readonly ulong[] _ascii = new ulong[128 * 128 / 64];
    private readonly ulong[] _others = new ulong[(1 << HashBits) / 64];

    /// <summary>Takes the tokens that merges make.</summary>
    public JoinTable(IEnumerable<string> mergedTokens)
    {
        foreach (var token in mergedTokens)
        {
            for (var i = 1; i < token.Length; i++)
                Mark(token[i - 1], token[i]);
        }
    }

    /// <summary>Whether some merge may join the two.</summary>
    public bool MayJoin(char left, char right)
    {
        if ((left | right) < 128)
        {
            var bit = (left << 7) | right;
            return (_ascii[bit >> 6] >> (bit & 63) & 1) != 0;
        }
        var hashed = Hash(left, right);
        return (_others[hashed >> 6] >> (int)(hashed & 63) & 1) != 0;
    }

    private void Mark(char left, char right)
    {
        if ((left | right) < 128)
        {
            var bit = (left << 7) | right;
            _ascii[bit >> 6] |= 1UL << (bit & 63);
            return;
        }
        var hashed = Hash(left, right);
        _others[hashed >> 6] |= 1UL << (int)(hashed & 63);
    }

    private static uint Hash(char left, char right) => (((uint)left << 16) | right) * 0x9E3779B1u >> (32 - HashBits);
}
