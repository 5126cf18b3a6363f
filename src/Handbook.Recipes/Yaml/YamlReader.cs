using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Handbook.Recipes.Yaml;

/// <summary>Reads one YAML document into values, as PyYAML's <c>safe_load</c> does, each with its place.</summary>
public sealed class YamlReader
{
    // Recipes nest four deep; a stranger's file must not exhaust the stack.
    private const int DeepestNesting = 64;

    // Aliases and merges let a kilobyte stand for billions of values; a recipe has a few hundred.
    private const long MostValues = 200_000;

    private readonly string file;
    private readonly IParser parser;
    private readonly YamlSurface surface;
    private readonly Dictionary<string, Node> anchors = [];
    private readonly Stack<YamlPosition> openBrackets = [];

    private YamlReader(string text, string file)
    {
        this.file = file;
        surface = new YamlSurface(text, file);
        surface.CheckCharacters();
        parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The value of <paramref name="text"/>; an empty document is <see cref="YamlNull"/>.</summary>
    /// <param name="text">The document.</param>
    /// <param name="file">Its name in messages.</param>
    /// <exception cref="UserErrorException">
    /// It is no YAML that <c>safe_load</c> takes; the message begins with file:line:column.
    /// </exception>
    public static YamlValue Read(string text, string file)
    {
        text = text.TrimStart('\uFEFF');
        var reader = new YamlReader(text, file);
        try { return reader.ReadDocument(); }
        catch (YamlException fault)
        {
            throw Fault(text, file, fault);
        }
        catch (InvalidOperationException fault)
        {
            // YamlDotNet stumbles over brackets that are never closed, without saying so.
            var problem = reader.openBrackets.TryPeek(out var open)
                ? $"{At(file, open)}: this bracket is never closed." : $"{At(file, new YamlPosition(1, 1))}: not valid YAML.";
            throw new UserErrorException(problem, fault);
        }
    }

    /// <summary>The value of the file at <paramref name="path"/>, which must be UTF-8.</summary>
    /// <exception cref="UserErrorException">The file is missing, unreadable, not UTF-8 or not YAML.</exception>
    public static YamlValue ReadFile(string path)
    {
        try { return Read(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(OrdinaryFile.ReadBytes(path)), path); }
        catch (DecoderFallbackException fault) { throw new UserErrorException($"{path}: not UTF-8 text (byte {fault.Index}).", fault); }
    }

    internal static string At(string file, YamlPosition position) =>
        string.Create(CultureInfo.InvariantCulture, $"{file}:{position.Line}:{position.Column}");

    private YamlValue ReadDocument()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _))
            return new YamlNull(new YamlPosition(1, 1));
        parser.Consume<DocumentStart>();
        var node = ReadNode(0);
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out var next))
            throw Fault(Position(parser.Current!.Start), "expected one document, found a second one.");
        surface.CheckBetween();
        return Construct(node);
    }

    /// <summary>A node before construction: aliases followed, tags known.</summary>
    private sealed record Node(
        string Tag, string? Scalar, IReadOnlyList<Node>? Items, IReadOnlyList<(Node Key, Node Value)>? Pairs, YamlPosition Position)
    {
        public YamlValue? Constructed { get; set; }

        /// <summary>Values below it and itself, those behind aliases counted wherever they are named.</summary>
        public long Size { get; init; } = 1;
    }

    private Node ReadNode(int depth)
    {
        if (depth > DeepestNesting)
            throw Fault(Position(parser.Current!.Start), "nested too deeply.");
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return anchors.TryGetValue(alias.Value.Value, out var target)
                ? target with { Position = Position(alias.Start) }
                : throw Fault(Position(alias.Start), $"the alias *{alias.Value.Value} has no anchor before it.");
        }
        var start = (NodeEvent)parser.Current!;
        var node = start switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart sequence => ReadSequence(sequence, depth),
            MappingStart mapping => ReadMapping(mapping, depth),
            _ => throw Fault(Position(start.Start), "unexpected " + start.GetType().Name),
        };
        if (!start.Anchor.IsEmpty && !anchors.TryAdd(start.Anchor.Value, node))
            throw Fault(node.Position, $"the anchor &{start.Anchor.Value} is given twice.");
        return node;
    }

    private Node ReadScalar(Scalar scalar)
    {
        parser.Consume<Scalar>();
        var isPlain = scalar.Style == ScalarStyle.Plain;
        surface.Add((int)scalar.Start.Index, (int)scalar.End.Index, isPlain);
        var tag = scalar.Tag.IsEmpty ? (isPlain ? YamlScalars.Resolve(scalar.Value) : YamlScalars.Text)
            : scalar.Tag.IsNonSpecific || scalar.Tag.Value == "!" ? YamlScalars.Resolve(scalar.Value) : scalar.Tag.Value;
        return new Node(tag, scalar.Value, null, null, Position(scalar.Start));
    }

    private Node ReadSequence(SequenceStart start, int depth)
    {
        if (start.Style == SequenceStyle.Flow)
            openBrackets.Push(Position(start.Start));
        parser.Consume<SequenceStart>();
        var items = new List<Node>();
        var size = 1L;
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(depth + 1));
            size = Checked(size + items[^1].Size, start.Start);
        }
        if (start.Style == SequenceStyle.Flow)
            openBrackets.Pop();
        return new Node(TagOr(start.Tag, "seq"), null, items, null, Position(start.Start)) { Size = size };
    }

    private Node ReadMapping(MappingStart start, int depth)
    {
        if (start.Style == MappingStyle.Flow)
            openBrackets.Push(Position(start.Start));
        parser.Consume<MappingStart>();
        var pairs = new List<(Node, Node)>();
        var size = 1L;
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (parser.Current is Scalar { Anchor.IsEmpty: true, Tag.IsEmpty: true } name)
                surface.CheckKey((int)name.Start.Index, (int)name.End.Index);
            var key = ReadNode(depth + 1);
            var value = ReadNode(depth + 1);
            pairs.Add((key, value));
            size = Checked(size + key.Size + value.Size, start.Start);
        }
        if (start.Style == MappingStyle.Flow)
            openBrackets.Pop();
        return new Node(TagOr(start.Tag, "map"), null, null, pairs, Position(start.Start)) { Size = size };
    }

    private long Checked(long size, Mark start) => size <= MostValues
        ? size
        : throw Fault(Position(start),
            string.Create(CultureInfo.InvariantCulture,
                $"holds more than {MostValues} values where aliases and merges are followed; it is not unfolded."));

    private YamlValue Construct(Node node) => node.Constructed ??= node switch
    {
        { Scalar: { } text } => YamlScalars.Construct(node.Tag, text, node.Position) ?? throw NoConstructor(node),
        { Items: { } items, Tag: YamlScalars.TagPrefix + "seq" } => new YamlSequence([.. items.Select(Construct)], node.Position),
        { Pairs: not null, Tag: YamlScalars.TagPrefix + "map" } => ConstructMapping(node),
        { Pairs: not null, Tag: YamlScalars.TagPrefix + "set" } =>
            new YamlSet([.. ConstructMapping(node).Entries.Select(entry => entry.Key)], node.Position),
        _ => throw NoConstructor(node),
    };

    private YamlMapping ConstructMapping(Node node)
    {
        var order = new List<KeyValuePair<YamlValue, YamlValue>>();
        var places = new Dictionary<object, int>();
        var repeated = new List<YamlValue>();
        var own = new HashSet<object>();
        var mergedCount = 0;
        var pairs = Flatten(node, ref mergedCount);
        for (var i = 0; i < pairs.Count; i++)
        {
            var key = Construct(pairs[i].Key);
            if (!key.IsHashable)
                throw Fault(key.Position, $"a key must be one value, found {key.Describe()}.");
            var value = Construct(pairs[i].Value);
            // What a merge brought in may be overwritten; a key that the file itself repeats is worth a word.
            if (i >= mergedCount && !own.Add(key.Identity))
                repeated.Add(key);
            if (places.TryGetValue(key.Identity, out var place))
                order[place] = new(order[place].Key, value);
            else
            {
                places[key.Identity] = order.Count;
                order.Add(new(key, value));
            }
        }
        return new YamlMapping(order, repeated, node.Position);
    }

    /// <summary>The pairs of a mapping with those of its merge keys in front, so that its own win.</summary>
    private List<(Node Key, Node Value)> Flatten(Node node, ref int mergedCount)
    {
        var merged = new List<(Node, Node)>();
        var own = new List<(Node, Node)>();
        foreach (var (key, value) in node.Pairs!)
        {
            if (key.Tag == YamlScalars.Merge)
                merged.AddRange(MergedPairs(value));
            else
                own.Add(key.Tag == YamlScalars.Value ? (key with { Tag = YamlScalars.Text }, value) : (key, value));
        }
        mergedCount = merged.Count;
        merged.AddRange(own);
        return merged;
    }

    private IEnumerable<(Node, Node)> MergedPairs(Node value)
    {
        var ignored = 0;
        if (value.Pairs is not null)
            return Flatten(value, ref ignored);
        // The first mapping of a list of merges wins, so it comes last.
        if (value.Items is { } items && items.All(item => item.Pairs is not null))
            return items.Reverse().SelectMany(item => Flatten(item, ref ignored));
        throw Fault(value.Position, "<< takes a mapping or a list of mappings.");
    }

    private UserErrorException NoConstructor(Node node) => Fault(node.Position,
        YamlScalars.IsKnown(node.Tag) && node.Scalar is { } text
            ? $"'{(text.Length > 60 ? text[..60] + "..." : text)}' is not a valid value of its kind "
                + $"(!!{node.Tag[YamlScalars.TagPrefix.Length..]}); put it in quotes if it is text."
            : $"the tag {node.Tag} is not supported: a recipe holds plain data.");

    private UserErrorException Fault(YamlPosition position, string message) => new($"{At(file, position)}: {message}");

    private static string TagOr(TagName tag, string kind) =>
        tag.IsEmpty || tag.IsNonSpecific ? YamlScalars.TagPrefix + kind : tag.Value;

    private static YamlPosition Position(Mark mark) => new((int)mark.Line, (int)mark.Column);

    private static UserErrorException Fault(string text, string file, YamlException fault)
    {
        // YamlDotNet names the value before a tab that indents a line, and what it says there is about its scanner.
        var tab = IndentingTab(text, (int)fault.Start.Line, fault.Message.Contains("tab", StringComparison.Ordinal));
        return tab is { } place
            ? new UserErrorException($"{At(file, place)}: a tab cannot indent a line; use spaces.", fault)
            : new UserErrorException($"{At(file, Position(fault.Start))}: {Reason(fault)}", fault);
    }

    /// <summary>
    /// The first tab before a line's text, in the given line or, when <paramref name="goesOn"/>, one that follows; null for none.
    /// </summary>
    private static YamlPosition? IndentingTab(string text, int firstLine, bool goesOn)
    {
        var lines = text.Split('\n');
        for (var number = Math.Max(1, firstLine); number <= (goesOn ? lines.Length : Math.Min(firstLine, lines.Length)); number++)
        {
            var line = lines[number - 1];
            if (line.AsSpan(0, line.Length - line.AsSpan().TrimStart(" \t").Length).IndexOf('\t') is var tab and >= 0)
                return new YamlPosition(number, tab + 1);
        }
        return null;
    }

    private static string Reason(YamlException fault)
    {
        var text = fault.Message.ReplaceLineEndings(" ").Trim();
        return (text.EndsWith('.') ? text : text + ".") + " The file is not valid YAML here.";
    }
}
