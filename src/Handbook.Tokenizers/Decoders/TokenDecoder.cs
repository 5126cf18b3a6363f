using System.Text;

namespace Handbook.Tokenizers.Decoders;

/// <summary>Turns tokens back into text: each decoder maps a list of strings to a list of strings, joined in the end.</summary>
internal abstract class TokenDecoder
{
    /// <summary>The strings that come out for the strings that go in.</summary>
    public abstract List<string> Decode(List<string> tokens);
}

/// <summary>One decoder after the other.</summary>
internal sealed class SequenceDecoder(IReadOnlyList<TokenDecoder> steps) : TokenDecoder
{
    /// <summary>The decoders in order.</summary>
    public IReadOnlyList<TokenDecoder> Steps { get; } = steps;

    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        foreach (var step in Steps)
            tokens = step.Decode(tokens);
        return tokens;
    }
}

/// <summary>Byte characters become bytes, and those text; a token with any other character stands for its own UTF-8.</summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
            Append(token, bytes);
        return [Encoding.UTF8.GetString(bytes.ToArray())];
    }

    /// <summary>Appends the bytes that a token spells.</summary>
    internal static void Append(string token, List<byte> bytes)
    {
        var before = bytes.Count;
        foreach (var unit in token)
        {
            var value = ByteAlphabet.ToByte(unit);
            if (value < 0)
            {
                bytes.RemoveRange(before, bytes.Count - before);
                bytes.AddRange(Encoding.UTF8.GetBytes(token));
                return;
            }
            bytes.Add((byte)value);
        }
    }
}

/// <summary>Runs of <c>&lt;0xNN&gt;</c> become text; a run that is not UTF-8 gives one U+FFFD a byte.</summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <inheritdoc/>
    public override List<string> Decode(List<string> tokens)
    {
        var output = new List<string>(tokens.Count);
        var run = new List<byte>();
        foreach (var token in tokens)
        {
            if (TryParse(token, out var value))
            {
                run.Add(value);
                continue;
            }
            Flush(run, output);
            output.Add(token);
        }
        Flush(run, output);
        return output;
    }

    /// <summary>The byte that a token <c>&lt;0xNN&gt;</c> spells.</summary>
    internal static bool TryParse(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && char.IsAsciiHexDigit(token[3]) && char.IsAsciiHexDigit(token[4])
            && byte.TryParse(token.AsSpan(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier,
                System.Globalization.CultureInfo.InvariantCulture, out value);
    }

    private static void Flush(List<byte> run, List<string> output)
    {
        if (run.Count == 0)
            return;
        try
        {
            output.Add(Strict.GetString(run.ToArray()));
        }
        catch (DecoderFallbackException)
        {
            output.AddRange(Enumerable.Repeat("\uFFFD", run.Count));
        }
        run.Clear();
    }
}
