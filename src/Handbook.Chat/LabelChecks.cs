using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>Checks before training: a run whose labels cannot teach what it is for says so first.</summary>
public static class LabelChecks
{
    /// <summary>
    /// Refuses a tokenizer whose end of turn would be masked as padding: where a batch is padded and labels are masked by
    /// the padding token's id, an EOS of the same id is never learned and the model never stops.
    /// </summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="masksPaddingById">
    /// True where labels are masked by id, as <c>v0.3</c> does without packing; batches that are packed never are.
    /// </param>
    /// <exception cref="UserErrorException">PAD and EOS are one token.</exception>
    public static void RequireLearnableEos(Tokenizer tokenizer, bool masksPaddingById)
    {
        if (!masksPaddingById || tokenizer.EosId is not { } eos || (tokenizer.PadId ?? eos) != eos)
            return;
        var given = tokenizer.PadId is null
            ? "there is no pad_token, so eos_token takes its place" : "pad_token and eos_token are one token";
        throw new UserErrorException(
            $"tokenizer: {given} ({tokenizer.Settings.EosToken}, id {eos}), and this profile masks "
            + "padding by id, so the model would never learn to end a turn. "
            + "Set packing: true, use profile: best, or give the tokenizer a pad_token of its own.");
    }

    /// <summary>
    /// The markers a template writes around turns that the tokenizer cuts into several tokens, such as
    /// <c>&lt;|im_start|&gt;</c> of ChatML on a base model: they should be added to the vocabulary before training.
    /// </summary>
    /// <param name="templates">The templates.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    public static IReadOnlyList<string> BrokenMarkers(IEnumerable<ChatTemplate> templates, Tokenizer tokenizer) =>
    [
        .. templates.SelectMany(template => Markers(template.Source)).Distinct().Order(StringComparer.Ordinal)
            .Where(marker => tokenizer.TokenToId(marker) is null),
    ];

    private static IEnumerable<string> Markers(string source)
    {
        for (var start = 0; (start = source.IndexOf("<|", start, StringComparison.Ordinal)) >= 0; start += 2)
        {
            var end = source.IndexOf("|>", start, StringComparison.Ordinal);
            if (end > start && end - start < 40 && !source.AsSpan(start, end - start).ContainsAny(" '\"\n{"))
                yield return source[start..(end + 2)];
        }
    }
}
