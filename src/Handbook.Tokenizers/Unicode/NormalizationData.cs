using System.Globalization;

namespace Handbook.Tokenizers.Unicode;

/// <summary>
/// Decompositions, compositions and combining classes. The runtime has them only with ICU, which this program does without
/// (invariant globalization), so they are read from an embedded table once.
/// </summary>
internal sealed class NormalizationData
{
    private static readonly Lazy<NormalizationData> Shared = new(() => new NormalizationData());

    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int, int), int> _compositions = [];
    private readonly HashSet<int> _notComposed = [];
    private readonly bool[] _mayChangeUnderNfc = new bool[0x10000];

    private NormalizationData()
    {
        using var stream = typeof(NormalizationData).Assembly.GetManifestResourceStream("Handbook.Tokenizers.Unicode.Normalization.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            ReadLine(line.Split(' '));
        foreach (var (composed, parts) in _canonical)
        {
            if (parts.Length == 2 && !_notComposed.Contains(composed))
                _compositions[(parts[0], parts[1])] = composed;
        }
        MarkChangesUnderNfc();
    }

    /// <summary>The table.</summary>
    public static NormalizationData Instance => Shared.Value;

    /// <summary>Canonical combining class; 0 for most characters.</summary>
    public int ClassOf(int codePoint) => codePoint < 0x300 ? 0 : _classes.GetValueOrDefault(codePoint);

    /// <summary>One step of decomposition, or null.</summary>
    public int[]? Decomposition(int codePoint, bool compatibility) =>
        _canonical.TryGetValue(codePoint, out var parts) || (compatibility && _compatible.TryGetValue(codePoint, out parts)) ? parts : null;

    /// <summary>The character that two compose to, or -1 (Hangul not included).</summary>
    public int Compose(int first, int second) => _compositions.GetValueOrDefault((first, second), -1);

    /// <summary>
    /// False when the text surely is in form NFC: every character has class 0, does not decompose for good and never
    /// composes with one before it.
    /// </summary>
    public bool MayChangeUnderNfc(ReadOnlySpan<char> text)
    {
        foreach (var unit in text)
        {
            if (_mayChangeUnderNfc[unit])
                return true;
        }
        return false;
    }

    private void ReadLine(string[] fields)
    {
        switch (fields[0])
        {
            case "C":
                var range = fields[1].Split('-');
                for (var codePoint = Hex(range[0]); codePoint <= Hex(range[1]); codePoint++)
                    _classes[codePoint] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                break;
            case "D":
                _canonical[Hex(fields[1])] = fields[2..].Select(Hex).ToArray();
                break;
            case "K":
                _compatible[Hex(fields[1])] = fields[2..].Select(Hex).ToArray();
                break;
            case "X":
                _notComposed.UnionWith(fields[1..].Select(Hex));
                break;
            default:
                break;
        }
    }

    private void MarkChangesUnderNfc()
    {
        foreach (var codePoint in _classes.Keys.Concat(_notComposed).Concat(_compositions.Keys.Select(pair => pair.Item2)))
            Mark(codePoint);
        // Hangul vowels and trailing consonants compose by arithmetic.
        for (var codePoint = 0x1160; codePoint <= 0x11FF; codePoint++)
            Mark(codePoint);
    }

    private void Mark(int codePoint)
    {
        if (codePoint < 0x10000)
            _mayChangeUnderNfc[codePoint] = true;
        else
            _mayChangeUnderNfc[char.ConvertFromUtf32(codePoint)[0]] = true;
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
