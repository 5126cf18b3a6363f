using System.Runtime.InteropServices;

namespace Handbook.Tokenizers;

/// <summary>
/// Turns tokens into text one at a time, as a model makes them. A character that several tokens spell is held back until its
/// last one; the pieces and <see cref="Flush"/> together are the text that <see cref="Tokenizer.Decode"/> gives. (One case
/// differs: byte-fallback tokens that turn out not to be UTF-8 after characters of the same run were already given.)
/// Not for several threads at once.
/// </summary>
public sealed class StreamingDecoder
{
    /// <summary>Tokens held back at most: no character needs nearly as many, so what is held is not going to become one.</summary>
    private const int MostHeldTokens = 64;

    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly List<int> _window = [];
    private string _given = "";
    private int _givenTokens;

    internal StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>Takes the next token and returns the text that is certain now; empty while a character is incomplete.</summary>
    public string Append(int id)
    {
        _window.Add(id);
        var text = Decode(0);
        var isComplete = text.Length > _given.Length && text[^1] != '\uFFFD';
        return isComplete || _window.Count - _givenTokens > MostHeldTokens ? Give(text) : "";
    }

    /// <summary>
    /// The text of tokens still held back, with U+FFFD where a character stayed incomplete. The decoder is ready for more.
    /// </summary>
    public string Flush() => Give(Decode(0));

    /// <summary>
    /// Returns what is new in the window's text. The window then keeps the tokens just given: decoders treat a first token
    /// differently, so one must stand before what comes next.
    /// </summary>
    private string Give(string text)
    {
        var piece = text.Length > _given.Length ? text[_given.Length..] : "";
        if (_givenTokens > 0 && _window.Count > _givenTokens && Decode(_givenTokens).Length > 0)
            _window.RemoveRange(0, _givenTokens);
        _given = Decode(0);
        _givenTokens = _window.Count;
        return piece;
    }

    private string Decode(int from) => _tokenizer.Decode(CollectionsMarshal.AsSpan(_window)[from..], _skipSpecialTokens);
}
