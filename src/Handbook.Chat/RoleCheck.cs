using System.Globalization;
using Handbook.Templates;

namespace Handbook.Chat;

/// <summary>A message whose role the template does not know must not vanish in silence.</summary>
internal static class RoleCheck
{
    private static readonly string[] Usual = ["system", "developer", "user", "assistant", "tool", "ipython", "function"];

    /// <summary>Refuses messages of unusual roles that left nothing in the text; the usual ones are the template's own affair.</summary>
    /// <exception cref="UserErrorException">There is such a message.</exception>
    public static void RequireWritten(IReadOnlyList<Message> messages, RenderedTemplate rendered)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            var (role, text) = (messages[i].Role, messages[i].Text.Trim());
            if (Usual.Contains(role) || text.Length == 0 || rendered.Turns.Any(turn => turn.Message == i)
                || rendered.Text.Contains(text, StringComparison.Ordinal))
                continue;
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"message {i + 1} has the role {role}, for which the chat template writes nothing; expected {string.Join(", ", Usual)}, "
                    + $"or one that the template knows.{NearestName.Hint(role, Usual)}"));
        }
    }
}
