using System.Collections.Concurrent;
using Handbook.Tokenizers.Fast;
using Handbook.Tokenizers.Files;
using Handbook.Tokenizers.PostProcessors;

namespace Handbook.Tokenizers;

/// <summary>
/// A tokenizer in Hugging Face's format: text to tokens and back, exactly as the <c>tokenizers</c> library does it. It never
/// changes once made and may be used by many threads at once.
/// </summary>
public sealed partial class Tokenizer
{
    private const int LargestKeptOutput = 1 << 20;

    private readonly TokenizerDefinition _definition;
    private readonly AddedVocabulary _added;
    private readonly PlainEncoder _plain;
    private readonly FastEncoder? _fast;
    private readonly ConcurrentBag<EncoderScratch> _scratches = [];

    internal Tokenizer(TokenizerDefinition definition, TokenizerSettings settings, bool useFastEncoder = true)
    {
        _definition = definition;
        Settings = settings;
        _added = new AddedVocabulary(definition.AddedTokens, definition.Model.Vocabulary, definition.Normalizer);
        _plain = new PlainEncoder(definition, _added);
        _fast = useFastEncoder ? FastEncoders.Find(definition, _added) : null;
        foreach (var id in _added.Tokens.Keys)
            VocabSize = Math.Max(VocabSize, id + 1);
        VocabSize = Math.Max(VocabSize, definition.Model.Vocabulary.IdEnd);
    }

    /// <summary>True for a folder with a tokenizer.</summary>
    public static bool IsIn(string folder) => TokenizerFolder.Is(folder);

    /// <summary>Reads a tokenizer from the files of a model folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or wrong; the message names it.</exception>
    public static Tokenizer Load(string folder) => TokenizerFolder.Load(folder);

    /// <summary>Reads one file of tokenizer.json's form, without the configuration beside it.</summary>
    /// <exception cref="UserErrorException">The file is missing or wrong; the message names it.</exception>
    public static Tokenizer LoadFile(string path) => TokenizerFolder.LoadFile(path, new TokenizerSettings());

    /// <summary>Configuration beside the tokenizer itself.</summary>
    public TokenizerSettings Settings { get; }

    /// <summary>The largest token id plus one, added tokens included: the rows an embedding needs.</summary>
    public int VocabSize { get; }

    /// <summary>Id of <see cref="TokenizerSettings.BosToken"/>, or null.</summary>
    public int? BosId => IdOf(Settings.BosToken);

    /// <summary>Id of <see cref="TokenizerSettings.EosToken"/>, or null.</summary>
    public int? EosId => IdOf(Settings.EosToken);

    /// <summary>Id of <see cref="TokenizerSettings.PadToken"/>, or null.</summary>
    public int? PadId => IdOf(Settings.PadToken);

    /// <summary>Id of <see cref="TokenizerSettings.UnkToken"/>, or null.</summary>
    public int? UnkId => IdOf(Settings.UnkToken);

    /// <summary>Longest sequence the model was made for, in tokens, or null.</summary>
    public int? ModelMaxLength => Settings.ModelMaxLength;

    /// <summary>The default chat template, or null.</summary>
    public string? ChatTemplate => Settings.ChatTemplate;

    /// <summary>Added tokens by id, ascending.</summary>
    public IReadOnlyDictionary<int, AddedToken> AddedTokens => _added.Tokens;

    /// <summary>The tokenizer as <c>tokenizer.json</c> has it, UTF-8: what <see cref="Save"/> writes.</summary>
    public ReadOnlyMemory<byte> Json => _definition.Json;

    /// <summary>Ids of the special tokens that <see cref="Encode"/> puts before and after a text.</summary>
    public (IReadOnlyList<int> Before, IReadOnlyList<int> After) Frame => _definition.PostProcessor?.Added ?? ([], []);

    /// <summary>The file's own truncation section; not applied by <see cref="Encode"/>.</summary>
    public TruncationOptions? Truncation => _definition.Truncation;

    /// <summary>The file's own padding section; not applied by <see cref="Encode"/>.</summary>
    public PaddingOptions? Padding => _definition.Padding;

    /// <summary>The id of a token's text, or null.</summary>
    public int? TokenToId(string token)
    {
        var id = _added.Find(token);
        if (id < 0)
            id = _definition.Model.Vocabulary.Find(token);
        return id < 0 ? null : id;
    }

    /// <summary>The text of a token (byte-level tokens in their printable spelling), or null for an id that is not one.</summary>
    public string? IdToToken(int id) =>
        _added.Tokens.TryGetValue(id, out var token) ? token.Content : _definition.Model.Vocabulary.TokenOf(id);

    /// <summary>True for an id that decoding with <c>skipSpecialTokens</c> leaves out.</summary>
    public bool IsSpecial(int id) => _added.Tokens.TryGetValue(id, out var token) && token.Special;

    /// <summary>
    /// The tokens of a text; <paramref name="addSpecialTokens"/> also adds those of the post-processor (such as BOS). The
    /// file's truncation and padding are not applied. Half a surrogate pair alone counts as U+FFFD.
    /// </summary>
    public TokenizedText Encode(string text, bool addSpecialTokens)
    {
        var scratch = TakeScratch();
        var result = EncodeWith(scratch, text, addSpecialTokens);
        GiveBack(scratch);
        return result;
    }

    private TokenizedText EncodeWith(EncoderScratch scratch, string text, bool addSpecialTokens)
    {
        var output = scratch.Output;
        output.Clear();
        var input = LoneSurrogates.Replace(text);
        EncodeInto(input, scratch);
        _definition.PostProcessor?.Process(output, new OutputContext(addSpecialTokens, input, ModelToken));
        return output.ToTokenizedText(text);
    }

    private EncoderScratch TakeScratch() => _scratches.TryTake(out var pooled) ? pooled : new EncoderScratch();

    private void GiveBack(EncoderScratch scratch)
    {
        // What one huge text needed is not kept for ever.
        if (scratch.Output.Ids.Length <= LargestKeptOutput)
            _scratches.Add(scratch);
    }

    /// <summary>Encodes many texts on all processors; results stand in the order of the texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="addSpecialTokens">As for <see cref="Encode"/>.</param>
    /// <param name="threads">Most threads to use; 0 for one a processor.</param>
    public TokenizedText[] EncodeBatch(IReadOnlyList<string> texts, bool addSpecialTokens, int threads = 0)
    {
        var results = new TokenizedText[texts.Count];
        EncodeEach(texts, addSpecialTokens, (i, tokens) => results[i] = tokens, threads);
        return results;
    }

    /// <summary>
    /// Encodes many texts on all processors and hands each on as it is done, so that what is not kept costs no memory and the
    /// collector no copying.
    /// </summary>
    /// <param name="texts">The texts.</param>
    /// <param name="addSpecialTokens">As for <see cref="Encode"/>.</param>
    /// <param name="take">Takes a text's number and its tokens; on any thread, in no order.</param>
    /// <param name="threads">Most threads to use; 0 for one a processor.</param>
    public void EncodeEach(IReadOnlyList<string> texts, bool addSpecialTokens, Action<int, TokenizedText> take, int threads = 0)
    {
        var workers = Math.Min(threads == 0 ? Environment.ProcessorCount : threads, texts.Count);
        var next = -1;
        // Whoever is free takes the next text: shares cut beforehand leave processors idle at the end.
        Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, workers) }, _ =>
        {
            var scratch = TakeScratch();
            for (int i; (i = Interlocked.Increment(ref next)) < texts.Count;)
                take(i, EncodeWith(scratch, texts[i], addSpecialTokens));
            GiveBack(scratch);
        });
    }

    /// <summary>
    /// The text of token ids, as the library gives it: without transformers' <c>clean_up_tokenization_spaces</c>. Ids that
    /// are no token are left out.
    /// </summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>(ids.Length);
        foreach (var id in ids)
        {
            var token = _added.DecodedForm(id) ?? _definition.Model.Vocabulary.TokenOf(id);
            if (token is not null && !(skipSpecialTokens && _added.IsSpecial(token)))
                tokens.Add(token);
        }
        return _definition.Decoder is { } decoder ? string.Concat(decoder.Decode(tokens)) : string.Join(' ', tokens);
    }

    private void EncodeInto(string text, EncoderScratch scratch)
    {
        var (from, taken) = (0, 0);
        while (_added.PlainMatcher.TryFind(text, from, taken, out var id, out var range, out from))
        {
            EncodeStretch(text, taken, range.Start, scratch);
            scratch.Output.Add(id, range.Start, range.End);
            taken = range.End;
        }
        EncodeStretch(text, taken, text.Length, scratch);
    }

    private void EncodeStretch(string text, int start, int end, EncoderScratch scratch)
    {
        if (start == end)
            return;
        if (_fast is { } fast)
            fast.EncodeStretch(text, start, end, scratch);
        else
            _plain.EncodeStretch(text, start, end, scratch.Output);
    }

    /// <summary>The same tokenizer without its fast encoder: what the fast one is compared with.</summary>
    internal Tokenizer WithoutFastEncoder() => new(_definition, Settings, useFastEncoder: false);

    /// <summary>The same tokenizer that has seen no text yet.</summary>
    public Tokenizer WithoutMemory() => new(_definition, Settings);

    /// <summary>Whether encoding goes through a fast encoder.</summary>
    internal bool HasFastEncoder => _fast is not null;

    private string? ModelToken(int id) => _added.Tokens.ContainsKey(id) ? null : _definition.Model.Vocabulary.TokenOf(id) ?? "";

    private int? IdOf(string? token) => token is null ? null : TokenToId(token);
}
