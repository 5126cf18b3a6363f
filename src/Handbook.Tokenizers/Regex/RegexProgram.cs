using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Regex;

/// <summary>What an instruction does.</summary>
internal enum RegexOperation
{
    /// <summary>Takes one character of the set, or fails.</summary>
    Take,

    /// <summary>Takes as many characters of the set as there are, and gives them back one by one.</summary>
    TakeAll,

    /// <summary>Goes on at the first target; on failure at the second.</summary>
    Split,

    /// <summary>Goes on at the target.</summary>
    Jump,

    /// <summary>Fails unless the anchor holds.</summary>
    Anchor,

    /// <summary>Fails unless the part that follows matches ahead (or must not); goes on at the target.</summary>
    LookAhead,

    /// <summary>As <see cref="LookAhead"/>, for what ends here.</summary>
    LookBehind,

    /// <summary>Matches the part that follows once and for all; goes on at the target.</summary>
    Atomic,

    /// <summary>The end of the pattern or part.</summary>
    Match,
}

/// <summary>One step of a compiled pattern.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RegexInstruction(RegexOperation Operation)
{
    /// <summary>Characters to take.</summary>
    public CharSet? Set { get; init; }

    /// <summary>Where to go on.</summary>
    public int Target { get; init; }

    /// <summary>Where to go on after a failure.</summary>
    public int Otherwise { get; init; }

    /// <summary>The anchor.</summary>
    public AnchorKind Anchor { get; init; }

    /// <summary>Whether a look must fail.</summary>
    public bool IsNegative { get; init; }

    /// <summary>Fewest characters a look-behind goes back, or that <see cref="RegexOperation.TakeAll"/> takes.</summary>
    public int Least { get; init; }

    /// <summary>Most characters a look-behind goes back.</summary>
    public int Most { get; init; }
}

/// <summary>Turns a parsed pattern into instructions.</summary>
internal sealed class RegexCompiler
{
    private const int MostInstructions = 20_000;
    private readonly List<RegexInstruction> _code = [];

    /// <summary>The instructions of a pattern.</summary>
    /// <exception cref="InvalidDataException">There would be too many.</exception>
    public static RegexInstruction[] Compile(RegexNode node)
    {
        var compiler = new RegexCompiler();
        compiler.Emit(node);
        compiler.Append(new RegexInstruction(RegexOperation.Match));
        return compiler._code.ToArray();
    }

    private void Emit(RegexNode node)
    {
        switch (node)
        {
            case SetNode set:
                Append(new RegexInstruction(RegexOperation.Take) { Set = set.Set });
                break;
            case ConcatenationNode concatenation:
                foreach (var part in concatenation.Parts)
                    Emit(part);
                break;
            case AlternationNode alternation:
                EmitChoices(alternation.Choices);
                break;
            case RepeatNode repeat:
                EmitRepeat(repeat);
                break;
            case AnchorNode anchor:
                Append(new RegexInstruction(RegexOperation.Anchor) { Anchor = anchor.Kind });
                break;
            case AtomicNode atomic:
                EmitPart(atomic.Body, new RegexInstruction(RegexOperation.Atomic));
                break;
            case LookNode look:
                EmitPart(look.Body, new RegexInstruction(look.IsBehind ? RegexOperation.LookBehind : RegexOperation.LookAhead)
                {
                    IsNegative = look.IsNegative,
                    Least = look.Body.Least,
                    Most = look.Body.Most,
                });
                break;
            default:
                throw new InvalidOperationException($"no instruction for {node.GetType().Name}");
        }
    }

    private void EmitChoices(IReadOnlyList<RegexNode> choices)
    {
        var jumps = new List<int>();
        for (var i = 0; i < choices.Count - 1; i++)
        {
            var split = Append(new RegexInstruction(RegexOperation.Split));
            Emit(choices[i]);
            jumps.Add(Append(new RegexInstruction(RegexOperation.Jump)));
            _code[split] = _code[split] with { Target = split + 1, Otherwise = _code.Count };
        }
        Emit(choices[^1]);
        foreach (var jump in jumps)
            _code[jump] = _code[jump] with { Target = _code.Count };
    }

    private void EmitRepeat(RepeatNode repeat)
    {
        if (repeat is { Body: SetNode { Set: var set }, Max: int.MaxValue, IsLazy: false })
        {
            Append(new RegexInstruction(RegexOperation.TakeAll) { Set = set, Least = repeat.Min });
            return;
        }
        for (var i = 0; i < repeat.Min; i++)
            Emit(repeat.Body);
        if (repeat.Max == int.MaxValue)
        {
            var split = Append(new RegexInstruction(RegexOperation.Split));
            Emit(repeat.Body);
            Append(new RegexInstruction(RegexOperation.Jump) { Target = split });
            SetExits(split, repeat.IsLazy);
            return;
        }
        var splits = new List<int>();
        for (var i = repeat.Min; i < repeat.Max; i++)
        {
            splits.Add(Append(new RegexInstruction(RegexOperation.Split)));
            Emit(repeat.Body);
        }
        foreach (var split in splits)
            SetExits(split, repeat.IsLazy);
    }

    private void SetExits(int split, bool isLazy)
    {
        var (inside, outside) = (split + 1, _code.Count);
        _code[split] = _code[split] with { Target = isLazy ? outside : inside, Otherwise = isLazy ? inside : outside };
    }

    private void EmitPart(RegexNode body, RegexInstruction head)
    {
        var at = Append(head);
        Emit(body);
        Append(new RegexInstruction(RegexOperation.Match));
        _code[at] = head with { Target = _code.Count };
    }

    private int Append(RegexInstruction instruction)
    {
        if (_code.Count == MostInstructions)
            throw new InvalidDataException("a pattern is too long once its counts are written out");
        _code.Add(instruction);
        return _code.Count - 1;
    }
}
