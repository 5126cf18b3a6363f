using System.Text.RegularExpressions;

namespace Handbook.Models.Adapters;

/// <summary>Which modules are meant: PEFT's rules for names, ends of names, a regular expression, and <c>all-linear</c>.</summary>
public sealed class ModulePattern
{
    /// <summary>The word for every linear layer but the head.</summary>
    public const string AllLinear = "all-linear";

    // A stranger's expression must not take forever.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Regex? expression;

    private ModulePattern(IReadOnlyList<string> names, Regex? expression) => (Names, this.expression) = (names, expression);

    /// <summary>The names, or the single word or expression.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>True when it is one expression or the word for all.</summary>
    public bool IsText => expression is not null || IsAllLinear;

    /// <summary>True for every linear layer but the head.</summary>
    public bool IsAllLinear => Names is [AllLinear];

    /// <summary>Names or ends of names: <c>q_proj</c> is meant by <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public static ModulePattern OfNames(IReadOnlyList<string> names) => new(names, null);

    /// <summary><c>all-linear</c>, or a regular expression that whole names match.</summary>
    /// <param name="text">The word or the expression.</param>
    /// <param name="key">Where it stands, for messages.</param>
    /// <exception cref="UserErrorException">It is no regular expression.</exception>
    public static ModulePattern OfText(string text, string key) =>
        new([text], text == AllLinear ? null : Compile($"^(?:{text})$", text, key));

    /// <summary>A recipe's list: several names; or one word, which is an expression where it could not be a name.</summary>
    /// <param name="words">The list.</param>
    /// <param name="key">Where it stands, for messages.</param>
    /// <exception cref="UserErrorException">It is no regular expression.</exception>
    public static ModulePattern OfWords(IReadOnlyList<string> words, string key) =>
        words is [var word] && (word == AllLinear || word.AsSpan().IndexOfAny(@"*+?()[]{}|^$\") >= 0) ? OfText(word, key) : OfNames(words);

    /// <summary>Whether a module is meant. <see cref="AllLinear"/> is the caller's to answer.</summary>
    /// <exception cref="UserErrorException">An expression that takes too long.</exception>
    public bool Matches(string module) => expression is null ? Names.Any(name => EndsIn(module, name)) : IsMatch(expression, module);

    /// <summary>The number of the first pattern that a module's name ends in.</summary>
    internal static double? Find(IReadOnlyList<KeyValuePair<string, double>> patterns, string module)
    {
        foreach (var (pattern, number) in patterns)
        {
            if (Compile($@"^(?:.*\.)?(?:{pattern})$", pattern, "rank_pattern, alpha_pattern") is var expression
                && IsMatch(expression, module))
                return number;
        }
        return null;
    }

    /// <summary>Whether a module is called so, or its name ends so after a point.</summary>
    internal static bool EndsIn(string module, string name) =>
        module == name || (module.EndsWith(name, StringComparison.Ordinal) && module.Length > name.Length
            && module[^(name.Length + 1)] == '.');

    private static bool IsMatch(Regex expression, string module)
    {
        try
        {
            return expression.IsMatch(module);
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new UserErrorException($"{expression}: this regular expression takes more than a second for {module}.", error);
        }
    }

    private static Regex Compile(string pattern, string shown, string key)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, Patience);
        }
        catch (ArgumentException error)
        {
            throw new UserErrorException($"{key}: \"{shown}\" is no regular expression: {error.Message}", error);
        }
    }
}
