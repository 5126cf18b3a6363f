using System.Text;
using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>Path patterns as dataset cards have them: <c>*</c>, <c>**</c>, <c>?</c>, <c>[...]</c>, <c>{a,b}</c>.</summary>
internal static class GlobPattern
{
    /// <summary>True when a relative path with forward slashes matches.</summary>
    public static bool Matches(string pattern, string path) => Regex.IsMatch(path, ToRegex(pattern), RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private static string ToRegex(string pattern)
    {
        var regex = new StringBuilder("^");
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '*' && i + 1 < pattern.Length && pattern[i + 1] == '*')
            {
                var withSlash = i + 2 < pattern.Length && pattern[i + 2] == '/';
                regex.Append(withSlash ? "(.*/)?" : ".*");
                i += withSlash ? 2 : 1;
                continue;
            }
            regex.Append(c switch
            {
                '*' => "[^/]*",
                '?' => "[^/]",
                '[' or ']' => c.ToString(),
                '{' => "(",
                '}' => ")",
                ',' => "|",
                _ => Regex.Escape(c.ToString()),
            });
        }
        return regex.Append('$').ToString();
    }
}
