using System.Text.Json.Nodes;
using Handbook.Data.Examples;

namespace Handbook.Sampling;

/// <summary>
/// What a row tells the chat template besides its messages. It is written into the sets again, so that training sees the same.
/// </summary>
/// <param name="Tools">The tools offered, the column <c>tools</c>; null for none.</param>
/// <param name="Arguments">More variables, the column <c>chat_template_kwargs</c>; null for none.</param>
public sealed record TemplateInputs(JsonArray? Tools, JsonObject? Arguments)
{
    /// <summary>Nothing.</summary>
    public static TemplateInputs None { get; } = new(null, null);

    /// <summary>Those of a row.</summary>
    internal static TemplateInputs Of(Example example) =>
        example is { Tools: null, TemplateArguments: null } ? None : new(example.Tools, example.TemplateArguments);

    /// <summary>Adds the columns to a row of a set.</summary>
    internal JsonObject AddTo(JsonObject row)
    {
        if (Tools is not null)
            row["tools"] = Tools.DeepClone();
        if (Arguments is not null)
            row["chat_template_kwargs"] = Arguments.DeepClone();
        return row;
    }
}
