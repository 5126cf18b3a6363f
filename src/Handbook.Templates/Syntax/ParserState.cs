using Handbook.Templates.Nodes;
using Handbook.Templates.Values;

namespace Handbook.Templates.Syntax;

/// <summary>What the parser must remember across the grammar: nesting, open tags, macros being read, delayed faults.</summary>
internal sealed class ParserState(int maxNesting)
{
    private readonly List<HashSet<string>> _macros = [];

    public Nesting Nesting { get; } = new(maxNesting);

    public Dictionary<string, Block> Blocks { get; } = new(StringComparer.Ordinal);

    /// <summary>Where something gave a value to <c>loop</c>; a fault once it turns out to be inside a for.</summary>
    public List<SourcePosition> LoopAssignments { get; } = [];

    /// <summary>Inside a branch Jinja2 leaves unknown filters and tests to the renderer, since the branch may never run.</summary>
    public bool IsSoft { get; set; }

    /// <summary>How many loops of the innermost macro are open.</summary>
    public int LoopDepth { get; set; }

    /// <summary>The first fault that Jinja2 finds only after the whole template was read.</summary>
    public TemplateException? Delayed { get; private set; }

    public void Delay(TemplateException fault) => Delayed ??= fault;

    public void Unknown(SourcePosition at, PythonError fault)
    {
        if (!IsSoft)
            Delay(at.Fail(fault.Kind, fault.Message));
    }

    /// <summary>Notes a name for every macro around it: some names change how a macro takes arguments.</summary>
    public void Mention(string name)
    {
        if (name is not ("caller" or "kwargs" or "varargs"))
            return;
        foreach (var macro in _macros)
            macro.Add(name);
    }

    public void BeginMacro() => _macros.Add(new HashSet<string>(StringComparer.Ordinal));

    public HashSet<string> EndMacro()
    {
        var mentioned = _macros[^1];
        _macros.RemoveAt(_macros.Count - 1);
        return mentioned;
    }
}
