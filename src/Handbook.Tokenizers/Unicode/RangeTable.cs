using System.Globalization;

namespace Handbook.Tokenizers.Unicode;

/// <summary>Ranges of code points by name, from an embedded table: a name and its ranges a line. No two ranges overlap.</summary>
internal sealed class RangeTable
{
    private readonly List<string> _names = [""];
    private readonly int[] _starts;
    private readonly int[] _ends;
    private readonly byte[] _numbers;

    /// <summary>Reads the table in the given file of this folder.</summary>
    public RangeTable(string file)
    {
        var ranges = new List<(int Start, int End, byte Number)>();
        using var stream = typeof(RangeTable).Assembly.GetManifestResourceStream($"Handbook.Tokenizers.Unicode.{file}")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            var fields = line.Split(' ');
            foreach (var field in fields.Skip(1))
            {
                var dash = field.IndexOf('-', StringComparison.Ordinal);
                ranges.Add((Hex(field.AsSpan(0, dash)), Hex(field.AsSpan(dash + 1)), (byte)_names.Count));
            }
            _names.Add(fields[0]);
        }
        ranges.Sort();
        _starts = ranges.ConvertAll(range => range.Start).ToArray();
        _ends = ranges.ConvertAll(range => range.End).ToArray();
        _numbers = ranges.ConvertAll(range => range.Number).ToArray();
    }

    /// <summary>Number of a name (case and underscores ignored), or 0.</summary>
    public int Find(string name)
    {
        var wanted = Plain(name);
        return Math.Max(0, _names.FindIndex(1, known => Plain(known) == wanted));
    }

    /// <summary>Number of the name whose ranges hold a character; 0 for none.</summary>
    public int Of(int codePoint)
    {
        var index = Array.BinarySearch(_starts, codePoint);
        if (index < 0)
            index = ~index - 1;
        return index >= 0 && codePoint <= _ends[index] ? _numbers[index] : 0;
    }

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    private static int Hex(ReadOnlySpan<char> text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>The script a character belongs to (UAX 24); the runtime does not have it.</summary>
internal static class Scripts
{
    private static readonly Lazy<RangeTable> Table = new(() => new RangeTable("Scripts.txt"));

    /// <summary>The table.</summary>
    public static RangeTable Instance => Table.Value;
}

/// <summary>Properties that the runtime does not have.</summary>
internal static class CharProperties
{
    private static readonly Lazy<RangeTable> Table = new(() => new RangeTable("Properties.txt"));
    private static readonly Lazy<int> Alphabetic = new(() => Table.Value.Find("Alphabetic_Marks"));
    private static readonly Lazy<int> Uppercase = new(() => Table.Value.Find("Other_Uppercase"));
    private static readonly Lazy<int> Lowercase = new(() => Table.Value.Find("Other_Lowercase"));
    private static readonly Lazy<int> NewPunctuation = new(() => Table.Value.Find("New_Punctuation"));
    private static readonly Lazy<int> FormerPunctuation = new(() => Table.Value.Find("Former_Punctuation"));

    /// <summary>A mark that counts as alphabetic.</summary>
    public static bool IsAlphabeticMark(int codePoint) => Table.Value.Of(codePoint) == Alphabetic.Value || codePoint == 0x345;

    /// <summary>Upper case, but not a letter of category Lu.</summary>
    public static bool IsOtherUppercase(int codePoint) => Table.Value.Of(codePoint) == Uppercase.Value;

    /// <summary>Lower case, but not a letter of category Ll.</summary>
    public static bool IsOtherLowercase(int codePoint) => Table.Value.Of(codePoint) == Lowercase.Value || codePoint == 0x345;

    /// <summary>Punctuation that Unicode 8.0, whose tables the library has here, does not know.</summary>
    public static bool IsNewPunctuation(int codePoint) => Table.Value.Of(codePoint) == NewPunctuation.Value;

    /// <summary>Punctuation in Unicode 8.0 and something else since.</summary>
    public static bool IsFormerPunctuation(int codePoint) => Table.Value.Of(codePoint) == FormerPunctuation.Value;
}
