using System.Runtime.CompilerServices;
using System.Text;
using Handbook.Templates.Nodes;
using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates;

/// <summary>One rendering: its limits and what is left of them, where it stands, what it has written, its generation spans.</summary>
internal sealed class RenderContext
{
    private readonly Budget _budget;
    private int _depth;
    private bool _isInTurn;

    public RenderContext(TemplateLimits limits, TimeProvider clock, IReadOnlyDictionary<string, Block> blocks)
    {
        (Limits, Clock, Blocks, _budget) = (limits, clock, blocks, new Budget(limits));
        Output = new OutputBuffer(this);
        Root = new Scope(null);
    }

    public TemplateLimits Limits { get; }

    /// <summary>What is left of the limits, for the rendering's thread.</summary>
    public Budget Budget => _budget;

    public TimeProvider Clock { get; }

    public IReadOnlyDictionary<string, Block> Blocks { get; }

    /// <summary>The text at the outermost level; macros and set blocks write to buffers of their own.</summary>
    public OutputBuffer Output { get; }

    public Scope Root { get; }

    public bool Autoescape { get; set; }

    /// <summary>What is being evaluated, for the position in an error.</summary>
    public SourcePosition At { get; private set; }

    /// <summary>Start in UTF-16 units of the text yielded so far, and length in code points, of each generation block.</summary>
    public List<(int Start, int CodePoints)> Generations { get; } = [];

    /// <summary>Whether the text of generation blocks is written between marks.</summary>
    public bool MarksGenerations { get; init; }

    /// <summary>Whether a generation block wrote to another buffer than <see cref="Output"/>.</summary>
    public bool HasInnerGenerations { get; set; }

    /// <summary>What each turn of a loop over the messages wrote at the outermost level.</summary>
    public List<RenderedTurn> Turns { get; } = [];

    /// <summary>Notes that a loop has come to a message; null when it is none, or when a loop around this one has.</summary>
    public RenderedTurn? BeginTurn(object? item, OutputBuffer output)
    {
        if (_isInTurn || output != Output || item is not DictValue message || !message.TryGetValue("role", out var role)
            || role is not string name)
            return null;
        _isInTurn = true;
        return new RenderedTurn(message.MessageIndex, name, new TextRange(Output.Length, Output.Length));
    }

    public void EndTurn(RenderedTurn? turn)
    {
        if (turn is not { } open)
            return;
        _isInTurn = false;
        if (Output.Length > open.Range.Start)
            Turns.Add(open with { Range = open.Range with { End = Output.Length } });
    }

    /// <summary>Begins an expression: counts it, remembers where it is and makes sure that the stack has room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter(SourcePosition at)
    {
        At = at;
        _budget.Take(1);
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw PythonError.Recursion();
    }

    /// <summary>Sets the position again after operands moved it.</summary>
    public void Return(SourcePosition at) => At = at;

    public void Charge(long steps) => _budget.Take(steps);

    /// <summary>Refuses a text of so many UTF-16 units.</summary>
    public void CheckLength(long length) => _budget.CheckLength(length);

    /// <summary>Counts a text that was just made.</summary>
    public string Checked(string text)
    {
        CheckLength(text.Length);
        Charge(text.Length >> 3);
        return text;
    }

    public void Descend()
    {
        if (++_depth > Limits.MaxDepth)
            throw PythonError.Recursion();
    }

    public void Ascend() => _depth--;
}

/// <summary>Where statements write: the text itself, or a macro's or set block's buffer.</summary>
internal sealed class OutputBuffer(RenderContext context)
{
    private readonly StringBuilder _text = new();

    public int Length => _text.Length;

    public void Append(string text)
    {
        context.CheckLength((long)_text.Length + text.Length);
        context.Charge(text.Length >> 3);
        _text.Append(text);
    }

    public override string ToString() => _text.ToString();
}

/// <summary>Variables of one block; a name not found is looked for outwards. Few names each, so a list is fastest.</summary>
internal sealed class Scope(Scope? outer)
{
    private string[] _names = [];
    private object?[] _values = [];
    private int _count;

    public Scope? Outer => outer;

    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            var names = scope._names;
            for (var i = 0; i < scope._count; i++)
            {
                if ((object)names[i] != name && names[i] != name)
                    continue;
                value = scope._values[i];
                return true;
            }
        }
        value = null;
        return false;
    }

    public void Set(string name, object? value)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_names[i] == name)
            {
                _values[i] = value;
                return;
            }
        }
        if (_count == _names.Length)
        {
            Array.Resize(ref _names, Math.Max(4, _count * 2));
            Array.Resize(ref _values, _names.Length);
        }
        (_names[_count], _values[_count++]) = (name, value);
    }
}
