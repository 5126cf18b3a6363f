using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Regex;

/// <summary>
/// Runs a compiled pattern by backtracking, over code points, with its own stack and a limit on steps: a pattern from
/// strangers can neither overflow the stack nor run for ever. One matcher serves one text at a time.
/// </summary>
internal ref struct RegexMatcher
{
    /// <summary>Steps allowed for each code unit of the text, on top of the first ones: published patterns need about ten.</summary>
    private const long StepsPerUnit = 200;

    private const long FirstSteps = 50_000_000;

    /// <summary>Choices that may be open at a time for each code unit, on top of the first ones.</summary>
    private const int ChoicesPerUnit = 4;

    private const int FirstChoices = 1 << 20;

    private const int DeepestLook = 50;

    private static readonly CharSet WordSet = NamedSets.Word().Close(ignoreCase: false);

    private readonly RegexInstruction[] _code;
    private readonly ReadOnlySpan<char> _text;
    private readonly List<State> _stack = [];
    private long _stepsLeft;
    private int _depth;

    /// <summary>Takes the pattern and the text.</summary>
    public RegexMatcher(RegexInstruction[] code, ReadOnlySpan<char> text)
    {
        _code = code;
        _text = text;
        _stepsLeft = FirstSteps + (StepsPerUnit * text.Length);
    }

    /// <summary>End of the match that begins at <paramref name="start"/>, or -1.</summary>
    /// <exception cref="UserErrorException">The pattern takes too many steps on this text.</exception>
    public int MatchAt(int start) => Run(0, start);

    private int Run(int instruction, int position)
    {
        if (++_depth > DeepestLook)
            throw new UserErrorException("tokenizer.json: a pattern nests conditions too deep.");
        var bottom = _stack.Count;
        var end = -1;
        while (true)
        {
            if (--_stepsLeft < 0 || _stack.Count > FirstChoices + ((long)ChoicesPerUnit * _text.Length))
                throw new UserErrorException("tokenizer.json: a pattern needs too many steps on this text; it cannot be used.");
            if (Step(ref instruction, ref position))
            {
                if (_code[instruction].Operation != RegexOperation.Match)
                    continue;
                end = position;
                break;
            }
            if (_stack.Count == bottom || !Pop(bottom, ref instruction, ref position))
                break;
        }
        _stack.RemoveRange(bottom, _stack.Count - bottom);
        _depth--;
        return end;
    }

    /// <summary>Does one instruction; false when it fails.</summary>
    private bool Step(ref int instruction, ref int position)
    {
        ref readonly var step = ref _code[instruction];
        switch (step.Operation)
        {
            case RegexOperation.Take:
                instruction++;
                return Take(step.Set!, ref position);
            case RegexOperation.TakeAll:
                instruction++;
                return TakeAll(step, instruction, ref position);
            case RegexOperation.Split:
                _stack.Add(new State(step.Otherwise, position, position));
                instruction = step.Target;
                return true;
            case RegexOperation.Jump:
                instruction = step.Target;
                return true;
            case RegexOperation.Anchor:
                instruction++;
                return Holds(step.Anchor, position);
            case RegexOperation.LookAhead:
                var isFound = Run(instruction + 1, position) >= 0;
                instruction = step.Target;
                return isFound != step.IsNegative;
            case RegexOperation.LookBehind:
                var isBehind = EndsHere(instruction + 1, position, step.Least, step.Most);
                instruction = step.Target;
                return isBehind != step.IsNegative;
            case RegexOperation.Atomic:
                var end = Run(instruction + 1, position);
                instruction = step.Target;
                position = end;
                return end >= 0;
            default:
                return true;
        }
    }

    private readonly bool Take(CharSet set, ref int position)
    {
        if (position >= _text.Length || !set.Contains(CharClasses.CodePointAt(_text, position, out var length)))
            return false;
        position += length;
        return true;
    }

    private bool TakeAll(in RegexInstruction step, int next, ref int position)
    {
        var least = position;
        for (var i = 0; i < step.Least; i++)
        {
            if (!Take(step.Set!, ref least))
                return false;
        }
        position = least;
        while (Take(step.Set!, ref position))
            _stepsLeft--;
        // What can be given back later is one entry, not one a character.
        if (position > least)
            _stack.Add(new State(next, position, least));
        return true;
    }

    /// <summary>Takes up the newest choice: a state's position, or for a run of characters the one before it.</summary>
    private readonly bool Pop(int bottom, ref int instruction, ref int position)
    {
        if (_stack.Count == bottom)
            return false;
        var state = _stack[^1];
        instruction = state.Instruction;
        if (state.Position == state.Least)
        {
            position = state.Position;
            _stack.RemoveAt(_stack.Count - 1);
            return true;
        }
        position = state.Position - 1;
        if (position > 0 && char.IsLowSurrogate(_text[position]) && char.IsHighSurrogate(_text[position - 1]))
            position--;
        if (position == state.Least)
            _stack.RemoveAt(_stack.Count - 1);
        else
            _stack[^1] = state with { Position = position };
        return true;
    }

    private bool EndsHere(int part, int position, int least, int most)
    {
        var start = position;
        for (var back = 0; back <= most; back++)
        {
            if (back >= least && Run(part, start) == position)
                return true;
            if (start == 0)
                return false;
            start -= start > 1 && char.IsLowSurrogate(_text[start - 1]) && char.IsHighSurrogate(_text[start - 2]) ? 2 : 1;
        }
        return false;
    }

    private readonly bool Holds(AnchorKind anchor, int position) => anchor switch
    {
        AnchorKind.TextStart => position == 0,
        AnchorKind.TextEnd => position == _text.Length,
        AnchorKind.LineStart => position == 0 || (_text[position - 1] == '\n' && position < _text.Length),
        AnchorKind.LineEnd => position == _text.Length || _text[position] == '\n',
        AnchorKind.TextEndOrLastBreak => position == _text.Length || (position == _text.Length - 1 && _text[position] == '\n'),
        AnchorKind.WordBorder => IsWordAt(position - 1) != IsWordAt(position),
        _ => IsWordAt(position - 1) == IsWordAt(position),
    };

    private readonly bool IsWordAt(int position)
    {
        if (position < 0 || position >= _text.Length)
            return false;
        if (position > 0 && char.IsLowSurrogate(_text[position]))
            position--;
        return WordSet.Contains(CharClasses.CodePointAt(_text, position, out _));
    }

    /// <summary>
    /// Where to go on after a failure; positions from <see cref="Position"/> down to <see cref="Least"/> are left to try.
    /// </summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct State(int Instruction, int Position, int Least);
}
