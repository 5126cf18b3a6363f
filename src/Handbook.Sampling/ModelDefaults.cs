using System.Globalization;
using Handbook.Models.Configuration;
using Handbook.Models.Generation;

namespace Handbook.Sampling;

/// <summary>What a model's <c>generation_config.json</c> gives to a run whose recipe is silent.</summary>
/// <param name="Settings">The settings with what the model gives.</param>
/// <param name="Fact">What came from there, for the facts of the run; null when nothing did.</param>
/// <param name="Remark">What stands there and has no effect here; null when nothing does.</param>
internal sealed record ModelDefaults(SampleSettings Settings, string? Fact, string? Remark)
{
    /// <summary>Completes settings.</summary>
    /// <param name="policy">Who completes prompts; an endpoint keeps its own defaults to itself.</param>
    /// <param name="settings">What the recipe gives, and the defaults of its keys.</param>
    /// <exception cref="UserErrorException">The file is wrong.</exception>
    public static ModelDefaults Of(PolicyOptions policy, SampleSettings settings)
    {
        if (policy.ModelFolder is not { } folder)
            return new ModelDefaults(settings, null, null);
        var model = GenerationDefaults.Read(folder);
        var taken = new List<string>();
        T Take<T>(string name, T ours, T? theirs, Func<T, string> text)
        {
            if (theirs is null || !policy.LeftToModel.Contains(name))
                return ours;
            taken.Add($"{name} {text(theirs)}");
            return theirs;
        }
        double Number(string name, double ours, double? theirs) =>
            Take<double?>(name, ours, theirs, value => value!.Value.ToString(CultureInfo.InvariantCulture))!.Value;
        var sampling = settings.Sampling;
        var completed = settings with
        {
            Sampling = sampling with
            {
                Temperature = Number("temperature", sampling.Temperature, model.Temperature),
                TopK = (int)Number("top_k", sampling.TopK, model.TopK),
                TopP = Number("top_p", sampling.TopP, model.TopP),
                MinP = Number("min_p", sampling.MinP, model.MinP),
                RepetitionPenalty = Number("repetition_penalty", sampling.RepetitionPenalty, model.RepetitionPenalty),
            },
            StopStrings = Take("stop_strings", settings.StopStrings, model.StopStrings,
                texts => string.Join(", ", texts.Select(text => $"'{text}'"))),
        };
        var file = Path.Combine(folder, ConfigFile.GenerationName);
        if (model.EosTokenIds.Count > 0)
            taken.Add($"eos_token_id {string.Join(", ", model.EosTokenIds)}");
        return new ModelDefaults(
            completed, taken.Count > 0 ? $"{string.Join(", ", taken)} from {file}" : null,
            model.Unread.Count > 0
                ? $"{file}: {string.Join(", ", model.Unread)} {(model.Unread.Count == 1 ? "has" : "have")} no effect here" : null);
    }
}
