using System.Text.RegularExpressions;

namespace Handbook.Training.Optimizers;

/// <summary>The weights at both ends of a model, by their checkpoint names.</summary>
public static partial class ModelEnds
{
    /// <summary>True for tables of tokens or positions.</summary>
    public static bool IsEmbedding(string parameterName) => Embedding().IsMatch(parameterName);

    /// <summary>True for what makes logits or scores.</summary>
    public static bool IsHead(string parameterName) => Head().IsMatch(parameterName);

    [GeneratedRegex(@"(?:^|\.)(?:embed_tokens|wte|wpe)(?:\.|$)", RegexOptions.CultureInvariant)]
    private static partial Regex Embedding();

    [GeneratedRegex(@"(?:^|\.)(?:lm_head|score)(?:\.|$)", RegexOptions.CultureInvariant)]
    private static partial Regex Head();
}
