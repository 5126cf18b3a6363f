using System.Numerics;
using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Syntax;

/// <summary>
/// Cuts a template into tokens as Jinja2's lexer does with <c>trim_blocks</c> and <c>lstrip_blocks</c> on and
/// <c>keep_trailing_newline</c> off. One pass, no backtracking over more than a tag's head.
/// </summary>
internal sealed class Lexer
{
    private enum State { Root, Variable, Block }

    private readonly string _source;
    private readonly int[] _lineStarts;
    private readonly Stack<char> _open = new();
    private readonly Queue<Token> _ready = new();
    private State _state = State.Root;
    private int _position;
    private bool _lineStarting = true;

    public Lexer(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = source.EndsWith('\n') ? source[..^1] : source;
        var starts = new List<int> { 0 };
        for (var i = 0; i < _source.Length; i++)
        {
            if (_source[i] == '\n')
                starts.Add(i + 1);
        }
        _lineStarts = [.. starts];
    }

    /// <summary>The next token; the end token over and over when there is none left.</summary>
    public Token Next()
    {
        while (_ready.Count == 0)
        {
            if (_state == State.Root)
                ReadRoot();
            else
                ReadTag();
        }
        return _ready.Dequeue();
    }

    private SourcePosition At(int position)
    {
        var line = Array.BinarySearch(_lineStarts, position);
        if (line < 0)
            line = ~line - 1;
        return new SourcePosition(line + 1, position - _lineStarts[line] + 1);
    }

    private void Emit(TokenKind kind, int position, string text = "", object? number = null) =>
        _ready.Enqueue(new Token(kind, text, number, At(position)));

    private void EmitData(int start, int end)
    {
        if (end > start)
            Emit(TokenKind.Data, start, _source[start..end]);
    }

    private void ReadRoot()
    {
        var start = _position;
        var tag = start;
        while ((tag = _source.IndexOf('{', tag)) >= 0 && !(tag + 1 < _source.Length && _source[tag + 1] is '{' or '%' or '#'))
            tag++;
        if (tag < 0 || tag + 1 >= _source.Length)
        {
            EmitData(start, _source.Length);
            _position = _source.Length;
            Emit(TokenKind.EndOfTemplate, _source.Length);
            return;
        }
        if (_source[tag + 1] == '%' && TryReadRaw(start, tag))
            return;
        var kind = _source[tag + 1];
        var sign = tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : '\0';
        EmitData(start, DataEnd(start, tag, sign, isVariable: kind == '{'));
        _position = tag + (sign == '\0' ? 2 : 3);
        _lineStarting = false;
        if (kind == '#')
        {
            SkipComment(tag);
            return;
        }
        Emit(kind == '{' ? TokenKind.VariableBegin : TokenKind.BlockBegin, tag);
        _state = kind == '{' ? State.Variable : State.Block;
    }

    /// <summary>Where the text before a tag ends once <c>-</c> or lstrip_blocks has taken its whitespace.</summary>
    private int DataEnd(int start, int tag, char sign, bool isVariable)
    {
        if (sign == '-')
        {
            while (tag > start && PythonCharacters.IsSpace(_source[tag - 1]))
                tag--;
            return tag;
        }
        if (sign == '+' || isVariable)
            return tag;
        var line = tag;
        while (line > start && _source[line - 1] != '\n' && PythonCharacters.IsSpace(_source[line - 1]))
            line--;
        var atLineStart = line > start ? _source[line - 1] == '\n' : _lineStarting;
        return atLineStart ? line : tag;
    }

    private void SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
            throw At(tag).SyntaxError("Missing end of comment tag");
        var sign = end > _position ? _source[end - 1] : '\0';
        SkipAfterTag(end + 2, sign);
    }

    /// <summary>Moves behind a block's or comment's end: <c>-</c> eats whitespace, <c>+</c> nothing, else one newline goes.</summary>
    private void SkipAfterTag(int end, char sign)
    {
        if (sign == '-')
            end = SkipSpaces(end);
        else if (sign != '+' && end < _source.Length && _source[end] == '\n')
            end++;
        _lineStarting = _source[end - 1] == '\n';
        _position = end;
    }

    private int SkipSpaces(int position)
    {
        while (position < _source.Length && PythonCharacters.IsSpace(_source[position]))
            position++;
        return position;
    }

    /// <summary><c>{% raw %}</c> to <c>{% endraw %}</c> as one piece of data.</summary>
    private bool TryReadRaw(int start, int tag)
    {
        var sign = tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : '\0';
        if (!TryTagBody(tag + (sign == '\0' ? 2 : 3), "raw", out var bodyStart, out var endSign) || endSign == '+')
            return false;
        EmitData(start, DataEnd(start, tag, sign, isVariable: false));
        if (endSign == '-')
            bodyStart = SkipSpaces(bodyStart);
        _lineStarting = _source[bodyStart - 1] == '\n';
        for (var close = bodyStart; (close = _source.IndexOf("{%", close, StringComparison.Ordinal)) >= 0; close++)
        {
            var closeSign = close + 2 < _source.Length && _source[close + 2] is '-' or '+' ? _source[close + 2] : '\0';
            if (!TryTagBody(close + (closeSign == '\0' ? 2 : 3), "endraw", out var after, out var afterSign))
                continue;
            EmitData(bodyStart, DataEnd(bodyStart, close, closeSign, isVariable: false));
            SkipAfterTag(after, afterSign);
            return true;
        }
        throw At(tag).SyntaxError("Missing end of raw directive");
    }

    private bool TryTagBody(int position, string word, out int end, out char sign)
    {
        end = SkipSpaces(position);
        sign = '\0';
        if (string.CompareOrdinal(_source, end, word, 0, word.Length) != 0)
            return false;
        end = SkipSpaces(end + word.Length);
        if (end < _source.Length && _source[end] is '-' or '+')
            sign = _source[end++];
        if (string.CompareOrdinal(_source, end, "%}", 0, 2) != 0)
            return false;
        end += 2;
        return true;
    }

    private void ReadTag()
    {
        _position = SkipSpaces(_position);
        if (_position >= _source.Length)
        {
            Emit(TokenKind.EndOfTemplate, _source.Length);
            return;
        }
        if (_open.Count == 0 && TryReadEnd())
            return;
        var current = _source[_position];
        if (char.IsAsciiDigit(current))
            ReadNumber();
        else if (PythonCharacters.IsWordAt(_source, _position))
            ReadName();
        else if (current is '\'' or '"' && TryReadText(current))
            return;
        else
            ReadOperator();
    }

    private bool TryReadEnd()
    {
        var first = _source[_position];
        var sign = first is '-' || (first is '+' && _state == State.Block) ? first : '\0';
        var end = _position + (sign == '\0' ? 0 : 1);
        if (string.CompareOrdinal(_source, end, _state == State.Block ? "%}" : "}}", 0, 2) != 0)
            return false;
        Emit(_state == State.Block ? TokenKind.BlockEnd : TokenKind.VariableEnd, _position);
        if (_state == State.Block)
        {
            SkipAfterTag(end + 2, sign);
        }
        else
        {
            _position = sign == '-' ? SkipSpaces(end + 2) : end + 2;
            _lineStarting = _source[_position - 1] == '\n';
        }
        _state = State.Root;
        return true;
    }

    private void ReadName()
    {
        var start = _position;
        while (PythonCharacters.IsWordAt(_source, _position))
            _position += char.IsHighSurrogate(_source[_position]) ? 2 : 1;
        var name = _source[start.._position];
        if (!PythonCharacters.IsIdentifier(name))
            throw At(start).SyntaxError("Invalid character in identifier");
        Emit(TokenKind.Name, start, name);
    }

    private bool TryReadText(char quote)
    {
        var end = _position + 1;
        while (end < _source.Length && _source[end] != quote)
            end += _source[end] == '\\' ? 2 : 1;
        if (end >= _source.Length)
            return false;
        var start = _position;
        _position = end + 1;
        try
        {
            Emit(TokenKind.Text, start, TextEscapes.Decode(_source.AsSpan(start + 1, end - start - 1)));
        }
        catch (FormatException error)
        {
            throw At(start).SyntaxError(error.Message);
        }
        return true;
    }

    private void ReadOperator()
    {
        foreach (var (symbol, kind) in Token.Operators)
        {
            if (string.CompareOrdinal(_source, _position, symbol, 0, symbol.Length) != 0)
                continue;
            CheckBalance(symbol[0], kind);
            Emit(kind, _position);
            _position += symbol.Length;
            return;
        }
        var character = Rune.TryGetRuneAt(_source, _position, out var rune) ? rune.ToString() : _source[_position].ToString();
        throw At(_position).SyntaxError(
            $"unexpected char {PythonText.ReprOf(character)} at {CodePoints.Length(_source.AsSpan(0, _position))}");
    }

    private void CheckBalance(char symbol, TokenKind kind)
    {
        if (kind is TokenKind.LBrace or TokenKind.LParen or TokenKind.LBracket)
        {
            _open.Push(symbol switch { '{' => '}', '(' => ')', _ => ']' });
        }
        else if (kind is TokenKind.RBrace or TokenKind.RParen or TokenKind.RBracket)
        {
            if (!_open.TryPop(out var expected))
                throw At(_position).SyntaxError($"unexpected '{symbol}'");
            if (expected != symbol)
                throw At(_position).SyntaxError($"unexpected '{symbol}', expected '{expected}'");
        }
    }

    private void ReadNumber()
    {
        var start = _position;
        var digitsEnd = Digits(start);
        var end = digitsEnd;
        var isFloat = false;
        if (start == 0 || _source[start - 1] != '.')
        {
            if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
                (end, isFloat) = (Digits(end + 1), true);
            if (end < _source.Length && _source[end] is 'e' or 'E')
            {
                var exponent = end + 1 < _source.Length && _source[end + 1] is '+' or '-' ? end + 2 : end + 1;
                if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
                    (end, isFloat) = (Digits(exponent), true);
            }
        }
        if (isFloat)
        {
            _position = end;
            var text = _source[start..end].Replace("_", "", StringComparison.Ordinal);
            Emit(TokenKind.Float, start, text, double.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
            return;
        }
        ReadInteger(start, digitsEnd);
    }

    private void ReadInteger(int start, int digitsEnd)
    {
        var radix = start + 1 < _source.Length && _source[start] == '0'
            ? _source[start + 1] switch { 'b' or 'B' => 2, 'o' or 'O' => 8, 'x' or 'X' => 16, _ => 10 }
            : 10;
        var value = BigInteger.Zero;
        var end = start + 2;
        if (radix != 10)
        {
            for (; end < _source.Length; end++)
            {
                var digit = end + 1 < _source.Length && _source[end] == '_'
                    ? DigitOf(_source[end + 1], radix) : DigitOf(_source[end], radix);
                if (digit < 0)
                    break;
                end += _source[end] == '_' ? 1 : 0;
                value = CheckSize(value * radix + digit, start);
            }
        }
        if (radix == 10 || end == start + 2)
        {
            end = _source[start] == '0' ? start + 1 : digitsEnd;
            while (_source[start] == '0' && end < digitsEnd && (_source[end] == '0' || (_source[end] == '_' && _source[end + 1] == '0')))
                end++;
            if (end - start > 4300)
                throw At(start).Fail("ValueError", "Exceeds the limit (4300 digits) for integer string conversion");
            value = BigInteger.Parse(_source[start..end].Replace("_", "", StringComparison.Ordinal),
                System.Globalization.CultureInfo.InvariantCulture);
        }
        _position = end;
        Emit(TokenKind.Integer, start, "", Numbers.Normalize(value));
    }

    private BigInteger CheckSize(BigInteger value, int start) =>
        value.GetBitLength() <= 16_384 ? value : throw At(start).SyntaxError("integer literal is too large");

    private static int DigitOf(char symbol, int radix)
    {
        var digit = char.IsAsciiHexDigit(symbol) ? Convert.ToInt32(symbol.ToString(), 16) : -1;
        return digit < radix ? digit : -1;
    }

    private int Digits(int position)
    {
        while (position < _source.Length && (char.IsAsciiDigit(_source[position])
            || (_source[position] == '_' && position + 1 < _source.Length && char.IsAsciiDigit(_source[position + 1]))))
        {
            position++;
        }
        return position;
    }
}
