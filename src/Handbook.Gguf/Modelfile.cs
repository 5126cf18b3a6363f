using System.Globalization;
using System.Text;
using Handbook.Models.Generation;

namespace Handbook.Gguf;

/// <summary>
/// The file from which <c>ollama create</c> makes a model. The chat template stays in the GGUF file; what the model's own files say of
/// sampling and of the ends of answers stands here, because GGUF has no place for it.
/// </summary>
internal static class Modelfile
{
    /// <summary>Name of the file.</summary>
    public const string Name = "Modelfile";

    /// <summary>The first line, by which a file is known as ours.</summary>
    public const string Mark = "# Made by handbook export gguf";

    /// <summary>The file's content.</summary>
    /// <param name="gguf">Name of the GGUF file beside it.</param>
    /// <param name="stops">Texts that end an answer.</param>
    /// <param name="defaults">How the model's makers sample from it.</param>
    /// <param name="contextLength">Longest sequence in tokens; null leaves Ollama's.</param>
    /// <param name="adapter">Name of the adapter's GGUF file, likewise; null for none.</param>
    public static string Text(
        string gguf, IEnumerable<string> stops, GenerationDefaults defaults, int? contextLength, string? adapter = null)
    {
        var text = new StringBuilder($"{Mark}\nFROM ./{gguf}\n");
        if (adapter is not null)
            text.Append(CultureInfo.InvariantCulture, $"ADAPTER ./{adapter}\n");
        foreach (var stop in stops.Concat(defaults.StopStrings ?? []).Distinct())
            text.Append(CultureInfo.InvariantCulture, $"PARAMETER stop {Quoted(stop)}\n");
        void Add(string name, double? value)
        {
            if (value is { } number)
                text.Append(CultureInfo.InvariantCulture, $"PARAMETER {name} {number}\n");
        }

        Add("temperature", defaults.Temperature);
        Add("top_k", defaults.TopK);
        Add("top_p", defaults.TopP);
        Add("min_p", defaults.MinP);
        Add("repeat_penalty", defaults.RepetitionPenalty);
        Add("num_ctx", contextLength);
        return text.ToString();
    }

    private static string Quoted(string text) => text.AsSpan().IndexOfAny("\"\n\r") < 0 ? $"\"{text}\"" : $"\"\"\"{text}\"\"\"";
}
