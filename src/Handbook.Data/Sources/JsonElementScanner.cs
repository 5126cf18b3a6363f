using System.Buffers;

namespace Handbook.Data.Sources;

/// <summary>Finds the elements of a top-level JSON list byte by byte: brackets and strings are all it knows.</summary>
internal sealed class JsonElementScanner(Stream stream, int maxBytes)
{
    private readonly ArrayBufferWriter<byte> element = new();
    private bool begun;
    private bool first = true;

    /// <summary>Bytes of the element found last (nothing of one that is too long).</summary>
    public ReadOnlyMemory<byte> Element => element.WrittenMemory;

    /// <summary>Length of the element found last.</summary>
    public long ElementLength { get; private set; }

    /// <summary>Line reached, from 1.</summary>
    public long Line { get; private set; } = 1;

    /// <summary>Why the list ended early, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Finds the next element; false at the end of the list or at a <see cref="Problem"/>.</summary>
    public bool Next()
    {
        if (!begun)
        {
            begun = true;
            SkipTo();
        }
        var next = SkipTo();
        if (next == ']')
            return End();
        if (!first)
        {
            if (next != ',')
                return Fail(next, "a comma or the closing bracket");
            next = SkipTo();
        }
        first = false;
        element.ResetWrittenCount();
        ElementLength = 0;
        return next is '{' or '[' ? Nested(next)
            : next == '"' ? Keep(next) && String() : next is < 0 or ',' or ']' or '}' ? Fail(next, "a row") : Scalar(next);
    }

    /// <summary>Nothing may stand behind the list: it would be lost.</summary>
    private bool End()
    {
        if (SkipTo() >= 0)
            Problem = "text stands behind the list's closing bracket; expected one list, or JSON Lines (an object a line)";
        return false;
    }

    private bool Nested(int open)
    {
        var depth = 0;
        for (var next = open; next >= 0; next = Read())
        {
            Keep(next);
            if (next == '"')
            {
                if (!String())
                    return false;
            }
            else if (next is '{' or '[')
            {
                depth++;
            }
            else if (next is '}' or ']' && --depth == 0)
            {
                return true;
            }
        }
        return Fail(-1, "the rest of the row");
    }

    private bool String()
    {
        for (var next = Read(); next >= 0; next = Read())
        {
            Keep(next);
            if (next == '"')
                return true;
            if (next == '\\')
                Keep(Read());
        }
        return Fail(-1, "the rest of a text");
    }

    private bool Scalar(int next)
    {
        for (; next >= 0; next = Read())
        {
            Keep(next);
            var peek = Peek();
            if (peek is ',' or ']' or ' ' or '\t' or '\r' or '\n' or < 0)
                return true;
        }
        return true;
    }

    private int peeked = -2;

    private int Peek() => peeked == -2 ? peeked = stream.ReadByte() : peeked;

    private int Read()
    {
        var next = Peek();
        peeked = -2;
        if (next == '\n')
            Line++;
        return next;
    }

    private bool Keep(int next)
    {
        if (ElementLength++ < maxBytes && next >= 0)
            element.Write([(byte)next]);
        return true;
    }

    private int SkipTo()
    {
        var next = Read();
        while (IsBlank(next))
            next = Read();
        return next;
    }

    /// <summary>True for what may stand between elements, the bytes of a byte order mark among it.</summary>
    public static bool IsBlank(int next) => next is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF;

    private bool Fail(int found, string expected)
    {
        Problem = found < 0 ? $"the file ends early; expected {expected}" : $"found '{(char)found}'; expected {expected}";
        return false;
    }
}
