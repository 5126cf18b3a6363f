using System.Text;
using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>
/// A path pattern as datasets have them: <c>*</c>, <c>**</c>, <c>?</c>, <c>[...]</c>, <c>{a,b}</c>. As the datasets library does, it
/// leaves out what is hidden (names that begin with a dot, folders that begin with two underscores) and files that describe a dataset
/// a model or a run, unless the pattern names them.
/// </summary>
internal sealed class GlobPattern
{
    private const int Longest = 1000;

    private static readonly string[] Described =
    [
        "README.md", "config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json",
        "requirements.txt", "LICENSE.txt",
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "generation_config.json",
        "adapter_config.json", "preprocessor_config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json", "merges.txt",
        "chat_template.json",
        // What runs write beside a model, here and in transformers: the datasets library would read it as rows.
        "all_results.json", "train_results.json", "eval_results.json", "test_results.json", "predict_results.json",
        TrainerState, RunIdentity,
        "checkpoint_manifest.json", "sweep.json", "round.json",
    ];

    /// <summary>Files that stand where a run was, and nowhere else.</summary>
    internal const string TrainerState = "trainer_state.json", RunIdentity = "handbook_run.json";

    private readonly string pattern;
    private readonly Regex regex;
    private readonly int hiddenParts;
    private readonly int specialFolders;

    /// <summary>Understands a pattern; in what is not well formed the characters stand for themselves.</summary>
    /// <exception cref="UserErrorException">It is longer than any path.</exception>
    public GlobPattern(string pattern)
    {
        if (pattern.Length > Longest)
            throw new UserErrorException(
                $"the path pattern {pattern[..40]}... has {pattern.Length} characters; at most {Longest} are read.");
        this.pattern = pattern.StartsWith("./", StringComparison.Ordinal) ? pattern[2..] : pattern;
        // Without backtracking, so that no pattern takes long.
        regex = new Regex(ToRegex(this.pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.Singleline);
        (hiddenParts, specialFolders) = (HiddenParts(this.pattern), SpecialFolders(this.pattern));
    }

    /// <summary>True when it can match more than the file it names.</summary>
    public bool HasWildcards => pattern.AsSpan().IndexOfAny("*?[{") >= 0;

    /// <summary>True when a relative path with forward slashes matches.</summary>
    public bool Matches(string path) =>
        path == pattern
        || (regex.IsMatch(path) && HiddenParts(path) == hiddenParts && SpecialFolders(path) == specialFolders
            && (!Describes(path) || Name(path) == Name(pattern)));

    /// <summary>True for a file that describes a dataset, a model or a run and holds no rows.</summary>
    public static bool Describes(string path) => Described.Contains(Name(path));

    private static int HiddenParts(string path) => path.Split('/').Count(part => part.StartsWith('.') && part.Trim('.').Length > 0);

    private static int SpecialFolders(string path) =>
        path.Split('/').SkipLast(1).Count(part => part.StartsWith("__", StringComparison.Ordinal));

    private static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string ToRegex(string pattern)
    {
        var regex = new StringBuilder("^");
        var alternatives = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (pattern.AsSpan(i).StartsWith("**"))
            {
                var withSlash = i + 2 < pattern.Length && pattern[i + 2] == '/';
                regex.Append(withSlash ? "(.*/)?" : ".*");
                i += withSlash ? 2 : 1;
            }
            else if (c == '[' && EndOfSet(pattern, i) is > 0 and var end)
            {
                regex.Append(Set(pattern[(i + 1)..end]));
                i = end;
            }
            else if (c == '{' && pattern.IndexOf('}', i) > 0)
            {
                alternatives++;
                regex.Append('(');
            }
            else if (c is '}' or ',' && alternatives > 0)
            {
                alternatives -= c == '}' ? 1 : 0;
                regex.Append(c == '}' ? ')' : '|');
            }
            else
            {
                regex.Append(c switch { '*' => "[^/]*", '?' => "[^/]", _ => Regex.Escape(c.ToString()) });
            }
        }
        return regex.Append(')', alternatives).Append('$').ToString();
    }

    /// <summary>Where a set of characters that begins at a bracket ends, or -1; a closing bracket may be its first character.</summary>
    private static int EndOfSet(string pattern, int start)
    {
        var from = start + 1;
        if (from < pattern.Length && pattern[from] is '!' or '^')
            from++;
        return from + 1 < pattern.Length ? pattern.IndexOf(']', from + 1) : -1;
    }

    private static string Set(string members)
    {
        var isNegated = members[0] is '!' or '^';
        var escaped = new StringBuilder(isNegated ? "[^/" : "[");
        var rest = isNegated ? members[1..] : members;
        for (var i = 0; i < rest.Length; i++)
        {
            if (i + 2 < rest.Length && rest[i + 1] == '-')
            {
                // A range the wrong way round holds nothing.
                if (rest[i] <= rest[i + 2])
                    escaped.Append(Member(rest[i])).Append('-').Append(Member(rest[i + 2]));
                i += 2;
            }
            else
            {
                escaped.Append(Member(rest[i]));
            }
        }
        return escaped.Length == 1 ? "[^\\s\\S]" : escaped.Append(']').ToString();
    }

    private static string Member(char c) =>
        c < 128 && !char.IsAsciiLetterOrDigit(c) ? FormattableString.Invariant($"\\x{(int)c:X2}") : c.ToString();
}
