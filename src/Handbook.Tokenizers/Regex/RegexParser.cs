using System.Globalization;

namespace Handbook.Tokenizers.Regex;

/// <summary>
/// Parses the regular expressions of tokenizer files: Oniguruma's Ruby syntax (its doc/RE), which the library uses, without
/// back references, conditionals and calls. What is not known is refused, never guessed.
/// </summary>
internal sealed class RegexParser
{
    private const int DeepestNesting = 50;
    private const int MostRepeats = 1000;

    private readonly string _pattern;
    private int _at;
    private int _depth;
    private bool _ignoreCase;
    private bool _dotMatchesNewLine;

    private RegexParser(string pattern) => _pattern = pattern;

    /// <summary>The parsed pattern.</summary>
    /// <exception cref="InvalidDataException">The pattern is wrong or uses something that is not supported.</exception>
    public static RegexNode Parse(string pattern)
    {
        var parser = new RegexParser(pattern);
        var node = parser.ParseAlternation();
        return parser._at == pattern.Length ? node : throw parser.Error("an unopened )");
    }

    private bool IsAtEnd => _at >= _pattern.Length;

    private char Current => _pattern[_at];

    private RegexNode ParseAlternation()
    {
        if (++_depth > DeepestNesting)
            throw Error($"groups nested more than {DeepestNesting} deep");
        var (ignoreCase, dotMatchesNewLine) = (_ignoreCase, _dotMatchesNewLine);
        var choices = new List<RegexNode> { ParseConcatenation() };
        while (Take('|'))
            choices.Add(ParseConcatenation());
        (_ignoreCase, _dotMatchesNewLine) = (ignoreCase, dotMatchesNewLine);
        _depth--;
        return choices.Count == 1 ? choices[0] : new AlternationNode(choices);
    }

    private RegexNode ParseConcatenation()
    {
        var parts = new List<RegexNode>();
        while (!IsAtEnd && Current is not ('|' or ')'))
        {
            if (ParseAtom() is { } atom)
                parts.Add(ParseQuantifiers(atom));
        }
        return parts.Count == 1 ? parts[0] : new ConcatenationNode(parts);
    }

    private RegexNode ParseQuantifiers(RegexNode atom)
    {
        while (!IsAtEnd && TryParseCount(out var min, out var max, out var isInterval))
        {
            if (max != 0 && atom.Least == 0 && max > 1)
                throw Error("a repeated part that can match nothing");
            var isLazy = Take('?');
            atom = new RepeatNode(atom, min, max, isLazy);
            // Ruby's syntax has possessive ?+ *+ ++ but no possessive intervals.
            if (!isLazy && !isInterval && Take('+'))
                atom = new AtomicNode(atom);
        }
        return atom;
    }

    private bool TryParseCount(out int min, out int max, out bool isInterval)
    {
        (min, max, isInterval) = (0, int.MaxValue, false);
        switch (Current)
        {
            case '*':
                _at++;
                return true;
            case '+':
                _at++;
                min = 1;
                return true;
            case '?':
                _at++;
                max = 1;
                return true;
            case '{':
                isInterval = true;
                return TryParseInterval(out min, out max);
            default:
                return false;
        }
    }

    private bool TryParseInterval(out int min, out int max)
    {
        (min, max) = (0, 0);
        var close = _pattern.IndexOf('}', _at);
        var body = close < 0 ? "" : _pattern[(_at + 1)..close];
        var comma = body.IndexOf(',', StringComparison.Ordinal);
        var (low, high) = comma < 0 ? (body, body) : (body[..comma], body[(comma + 1)..]);
        if (body.Length is 0 or > 12 || body == "," || !(low + high).All(char.IsAsciiDigit))
            throw Error("a { that is not a count; write \\{");
        min = low.Length == 0 ? 0 : int.Parse(low, CultureInfo.InvariantCulture);
        max = high.Length == 0 ? int.MaxValue : int.Parse(high, CultureInfo.InvariantCulture);
        if (min > MostRepeats || (max != int.MaxValue && max > MostRepeats) || min > max)
            throw Error($"the count {{{body}}}; counts go up to {MostRepeats}");
        _at = close + 1;
        return true;
    }

    private RegexNode? ParseAtom()
    {
        var unit = Current;
        switch (unit)
        {
            case '(':
                _at++;
                return ParseGroup();
            case '[':
                _at++;
                return new SetNode(ParseClass().Close(_ignoreCase));
            case '.':
                _at++;
                return new SetNode((_dotMatchesNewLine ? new CharSet().Add(0, 0x10FFFF) : new CharSet().Add('\n', '\n').Negate())
                    .Close(false));
            case '^':
                _at++;
                return new AnchorNode(AnchorKind.LineStart);
            case '$':
                _at++;
                return new AnchorNode(AnchorKind.LineEnd);
            case '*' or '+' or '?':
                throw Error($"a {unit} with nothing before it");
            case '\\':
                return ParseEscape();
            default:
                return Literal(TakeCodePoint());
        }
    }

    private RegexNode? ParseGroup()
    {
        if (!Take('?'))
            return Closed(ParseAlternation());
        if (TakeAll(":"))
            return Closed(ParseAlternation());
        if (TakeAll("="))
            return new LookNode(Closed(ParseAlternation()), false, false);
        if (TakeAll("!"))
            return new LookNode(Closed(ParseAlternation()), false, true);
        if (TakeAll("<="))
            return Behind(false);
        if (TakeAll("<!"))
            return Behind(true);
        if (TakeAll(">"))
            return new AtomicNode(Closed(ParseAlternation()));
        if (TakeAll("<") || TakeAll("P<") || TakeAll("'"))
            return ParseNamedGroup();
        if (TakeAll("#"))
        {
            while (!IsAtEnd && Current != ')')
                _at++;
            return Closed<RegexNode?>(null);
        }
        return ParseOptions();
    }

    private RegexNode ParseNamedGroup()
    {
        while (!IsAtEnd && (char.IsLetterOrDigit(Current) || Current == '_'))
            _at++;
        if (!Take('>') && !Take('\''))
            throw Error("a group name that does not end");
        return Closed(ParseAlternation());
    }

    private LookNode Behind(bool isNegative)
    {
        var body = Closed(ParseAlternation());
        return body.Most <= MostRepeats ? new LookNode(body, true, isNegative) : throw Error("a look-behind without a longest length");
    }

    /// <summary><c>(?i)</c> to the end of the group, <c>(?i:...)</c> for its own.</summary>
    private RegexNode? ParseOptions()
    {
        var (ignoreCase, dotMatchesNewLine) = (_ignoreCase, _dotMatchesNewLine);
        var value = true;
        for (; !IsAtEnd && Current is not (')' or ':'); _at++)
        {
            switch (Current)
            {
                case '-': value = false; break;
                case 'i': _ignoreCase = value; break;
                case 'm' or 's': _dotMatchesNewLine = value; break;
                default: throw Error($"the group option {Current}");
            }
        }
        if (Take(':'))
        {
            var body = Closed(ParseAlternation());
            (_ignoreCase, _dotMatchesNewLine) = (ignoreCase, dotMatchesNewLine);
            return body;
        }
        _ = Closed<RegexNode?>(null);
        // The option holds for the rest of the group, all its choices included.
        return IsAtEndOr(')') ? null : ParseAlternation();
    }

    private bool IsAtEndOr(char end) => IsAtEnd || Current == end;

    private RegexNode ParseEscape()
    {
        AnchorKind? anchor = _at + 1 >= _pattern.Length ? null : _pattern[_at + 1] switch
        {
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.TextEndOrLastBreak,
            'b' => AnchorKind.WordBorder,
            'B' => AnchorKind.NoWordBorder,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _at += 2;
            return new AnchorNode(kind);
        }
        var set = Escapes.TryTakeSet(_pattern, ref _at);
        return set is null ? Literal(Escapes.TakeCharacter(_pattern, ref _at)) : new SetNode(set.Close(_ignoreCase));
    }

    /// <summary>The inside of <c>[...]</c>; the bracket is taken already.</summary>
    private CharSet ParseClass()
    {
        if (++_depth > DeepestNesting)
            throw Error($"classes nested more than {DeepestNesting} deep");
        var isNegated = Take('^');
        var (set, first) = (new CharSet(), true);
        CharSet? whole = null;
        for (; !IsAtEnd && (Current != ']' || first); first = false)
        {
            if (TakeAll("&&"))
            {
                whole = whole is null ? set : new CharSet().Add(whole).IntersectWith(set);
                set = new CharSet();
                continue;
            }
            AddClassItem(set);
        }
        if (!Take(']'))
            throw Error("a [ without ]");
        _depth--;
        if (whole is not null)
            set = new CharSet().Add(whole).IntersectWith(set);
        return isNegated ? new CharSet().Add(set).Negate() : set;
    }

    private void AddClassItem(CharSet set)
    {
        if (TakeAll("[:"))
        {
            var isNegated = Take('^');
            var close = _pattern.IndexOf(":]", _at, StringComparison.Ordinal);
            var name = close < 0 ? "" : _pattern[_at..close];
            set.Add(NamedSets.Find(name) ?? throw Error($"the class [:{name}:]"), isNegated);
            _at = close + 2;
            return;
        }
        if (Take('['))
        {
            set.Add(ParseClass());
            return;
        }
        if (Current == '\\' && Escapes.TryTakeSet(_pattern, ref _at) is { } named)
        {
            set.Add(named);
            return;
        }
        var first = TakeClassCharacter();
        var last = first;
        if (_at + 1 < _pattern.Length && Current == '-' && _pattern[_at + 1] is not (']' or '['))
        {
            _at++;
            last = TakeClassCharacter();
        }
        if (last < first)
            throw Error("a range that goes backwards");
        set.Add(first, last);
    }

    private int TakeClassCharacter() => Current == '\\' ? Escapes.TakeCharacter(_pattern, ref _at) : TakeCodePoint();

    private SetNode Literal(int codePoint) => new(new CharSet().Add(codePoint, codePoint).Close(_ignoreCase));

    private int TakeCodePoint()
    {
        var codePoint = CharClasses.CodePointAt(_pattern, _at, out var length);
        _at += length;
        return codePoint;
    }

    private bool Take(char unit)
    {
        var taken = !IsAtEnd && Current == unit;
        _at += taken ? 1 : 0;
        return taken;
    }

    private bool TakeAll(string text)
    {
        var taken = string.CompareOrdinal(_pattern, _at, text, 0, text.Length) == 0;
        _at += taken ? text.Length : 0;
        return taken;
    }

    private T Closed<T>(T node) => Take(')') ? node : throw Error("a ( without )");

    private InvalidDataException Error(string found) => new($"the pattern {_pattern} has {found} at {_at}, which is not supported");
}
