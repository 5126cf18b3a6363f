using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Handbook.Data.Sources;

/// <summary>
/// A value of a dataset card's YAML. Aliases share what they name and are never unfolded, so a card takes the memory that its text
/// does, whatever a stranger wrote.
/// </summary>
/// <param name="Line">Where it begins, counted from the card's first line.</param>
/// <param name="Text">The text of a scalar, else null.</param>
/// <param name="IsPlain">Whether a scalar stands without quotes: only such a one can be null or a truth value.</param>
/// <param name="Items">The items of a list, else null.</param>
/// <param name="Members">The members of a mapping in order, else null.</param>
internal sealed record CardNode(
    long Line, string? Text = null, bool IsPlain = false, List<CardNode>? Items = null, List<(string Key, CardNode Value)>? Members = null)
{
    // Cards nest five deep; a stranger's must not exhaust the stack.
    private const int DeepestNesting = 64;

    /// <summary>True for what YAML 1.1 reads as null.</summary>
    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <summary>True for what Python takes as true: <c>True</c>, <c>yes</c>, <c>on</c>, a text, a number but 0.</summary>
    public bool IsTrue => Text is null ? Items is { Count: > 0 } || Members is { Count: > 0 }
        : !IsPlain ? Text.Length > 0
        : !IsNull && Text is not ("false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" or "0");

    /// <summary>The value of a key, the last where it is given twice, with YAML's merge key; null when absent or null.</summary>
    public CardNode? this[string key] => Find(key, DeepestNesting) is { IsNull: false } found ? found : null;

    /// <summary>Reads the YAML of a card.</summary>
    /// <exception cref="UserErrorException">It is no YAML.</exception>
    public static CardNode? Read(string yaml, string card)
    {
        var parser = new Parser(new Scanner(new StringReader(yaml), skipComments: true));
        try
        {
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _))
                return null;
            return Read(parser, new Dictionary<string, CardNode>(StringComparer.Ordinal), card, 0);
        }
        catch (YamlException e)
        {
            throw Broken(e.Start.Line, e.Message, e);
        }
        catch (Exception e) when (e is not UserErrorException)
        {
            // YamlDotNet stumbles over some texts without saying so.
            throw Broken(parser.Current?.Start.Line ?? 1, "it cannot be understood", e);
        }

        UserErrorException Broken(long line, string problem, Exception e) =>
            new(FormattableString.Invariant(
                $"{card}, line {line}: the card's heading is not valid YAML: {problem.ReplaceLineEndings(" ")}"), e);
    }

    private CardNode? Find(string key, int depth)
    {
        if (Members is null || depth == 0)
            return null;
        if (Members.FindLast(member => member.Key == key).Value is { } own)
            return own;
        return Members.Where(member => member.Key == "<<").SelectMany(member => member.Value.Items ?? [member.Value])
            .Select(merged => merged.Find(key, depth - 1)).FirstOrDefault(found => found is not null);
    }

    private static CardNode Read(Parser parser, Dictionary<string, CardNode> anchors, string card, int depth)
    {
        var line = parser.Current is { } current ? current.Start.Line : 1;
        if (depth > DeepestNesting)
            throw new UserErrorException(FormattableString.Invariant($"{card}, line {line}: the card's heading is nested too deeply"));
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return anchors.TryGetValue(alias.Value.Value, out var target) ? target
                : throw new UserErrorException(FormattableString.Invariant(
                    $"{card}, line {alias.Start.Line}: the alias *{alias.Value.Value} has no anchor before it"));
        }
        var start = parser.Consume<NodeEvent>();
        line = start.Start.Line;
        var node = start switch
        {
            Scalar scalar => new CardNode(line, scalar.Value, scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty),
            SequenceStart => new CardNode(line, Items: ReadItems(parser, anchors, card, depth)),
            _ => new CardNode(line, Members: ReadMembers(parser, anchors, card, depth)),
        };
        if (!start.Anchor.IsEmpty)
            anchors[start.Anchor.Value] = node;
        return node;
    }

    private static List<CardNode> ReadItems(Parser parser, Dictionary<string, CardNode> anchors, string card, int depth)
    {
        var items = new List<CardNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
            items.Add(Read(parser, anchors, card, depth + 1));
        return items;
    }

    private static List<(string, CardNode)> ReadMembers(Parser parser, Dictionary<string, CardNode> anchors, string card, int depth)
    {
        var members = new List<(string, CardNode)>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Read(parser, anchors, card, depth + 1);
            members.Add((key.Text ?? "", Read(parser, anchors, card, depth + 1)));
        }
        return members;
    }
}
