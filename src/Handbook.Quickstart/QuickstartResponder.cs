using Handbook.Chat;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.Tokenizers;
using Handbook.Training.Progress;

namespace Handbook.Quickstart;

/// <summary>What a model said.</summary>
/// <param name="Said">An answer to each question.</param>
/// <param name="ParameterCount">Weights of the model.</param>
public sealed record ModelAnswers(IReadOnlyList<string> Said, long ParameterCount);

/// <summary>Asks a saved model questions in the chat form of its tokenizer, and takes the most probable answer.</summary>
public static class QuickstartResponder
{
    private const int LongestAnswer = 16;

    /// <summary>The answers, in the order of the questions, and the model's size.</summary>
    /// <param name="modelFolder">A model with its tokenizer.</param>
    /// <param name="questions">What users ask.</param>
    /// <param name="title">What the progress calls it.</param>
    /// <param name="progress">Hears of every answer.</param>
    /// <param name="stop">Ends it early.</param>
    public static ModelAnswers Ask(
        string modelFolder, IReadOnlyList<string> questions, string title, ITrainingProgress progress, CancellationToken stop)
    {
        var tokenizer = Tokenizer.Load(modelFolder);
        var template = new ChatTemplate(tokenizer.ChatTemplate ?? ChatTemplate.ChatMl);
        // Whatever special token comes first ends an answer: a base model ends texts, a tuned one ends turns.
        var stopTokens = tokenizer.AddedTokens.Where(token => token.Value.Special).Select(token => token.Key).ToList();
        using var model = CausalLanguageModel.Load(modelFolder);
        var requests = questions.Select(question => new GenerationRequest
        {
            Prompt = Prompt(tokenizer, template, question),
            MaxNewTokens = LongestAnswer,
            StopTokens = stopTokens,
        }).ToList();
        var answered = 0;
        var results = new Generator(model).Run(requests, _ => progress.Advance(title, ++answered, requests.Count), stop);
        var said = results.Select(samples => tokenizer.Decode([.. samples[0].Tokens], skipSpecialTokens: true).Trim());
        return new ModelAnswers([.. said], model.ParameterCount);
    }

    private static int[] Prompt(Tokenizer tokenizer, ChatTemplate template, string question)
    {
        var text = template.Render([new Message { Role = "user", Content = question }],
            new ChatTemplateOptions { AddGenerationPrompt = true }).Text;
        return [.. tokenizer.Encode(text, addSpecialTokens: false).Ids];
    }
}
