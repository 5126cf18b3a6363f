using Handbook.Tokenizers.Files;

namespace Handbook.Tokenizers;

public sealed partial class Tokenizer
{
    /// <summary>
    /// The same tokenizer with more added tokens. One that the vocabulary has keeps its id; the others get the
    /// ids after the last, so a model's embedding must grow to the new <see cref="VocabSize"/>.
    /// </summary>
    /// <exception cref="UserErrorException">A token is empty.</exception>
    public Tokenizer WithAddedTokens(IEnumerable<AddedToken> tokens)
    {
        var list = _added.Tokens.Values.ToList();
        foreach (var token in tokens)
        {
            if (token.Content.Length == 0)
                throw new UserErrorException("An added token must not be empty.");
            var earlier = list.FindIndex(known => known.Content == token.Content);
            if (earlier >= 0)
                list[earlier] = token;
            else
                list.Add(token);
        }
        var changed = new Tokenizer(_definition with { AddedTokens = list }, Settings);
        var json = TokenizerWriter.WithAddedTokens(_definition.Json, changed.AddedTokens);
        return new Tokenizer(changed._definition with { Json = json }, Settings);
    }

    /// <summary>The same tokenizer with other settings (special token names, chat template, longest sequence).</summary>
    public Tokenizer WithSettings(TokenizerSettings settings) => new(_definition, settings);

    /// <summary>
    /// Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
    /// <c>chat_template.jinja</c>, each whole or not at all. The folder is made when it is missing.
    /// </summary>
    /// <exception cref="UserErrorException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            AtomicFile.Write(Path.Combine(folder, TokenizerFolder.TokenizerFile), stream => stream.Write(_definition.Json));
            SettingsWriter.Write(folder, this);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{folder}: the tokenizer cannot be written: {exception.Message.ReplaceLineEndings(" ")}",
                exception);
        }
    }

    /// <summary>A decoder for tokens that come one at a time.</summary>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens) => new(this, skipSpecialTokens);
}
