using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Text.Conversations;
using Handbook.Text.Tokenizers;
using Handbook.Text.Tokenizers.Training;
using Handbook.Torch;

namespace Handbook.Training.Tests.Sampling;

/// <summary>A chat model and a reward model of random weights with a tokenizer of their own, as folders on disk.</summary>
public sealed class TinyChat : IDisposable
{
    private const string Words = "hello there how are you today my friend one two three four five six seven eight nine ten yes no perhaps";
    private readonly TemporaryFolder folder = new();

    public TinyChat()
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|im_start|>", "<|im_end|>"] });
        trainer.Feed(Words);
        var tokenizer = trainer.Train(new TokenizerSettings { EosToken = "<|im_end|>", ChatTemplate = ChatTemplate.ChatMl });
        var config = new JsonObject
        {
            ["model_type"] = "llama", ["vocab_size"] = tokenizer.VocabSize, ["hidden_size"] = 32, ["intermediate_size"] = 64, ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2, ["max_position_embeddings"] = 512, ["tie_word_embeddings"] = true,
            ["initializer_range"] = 0.3, ["eos_token_id"] = tokenizer.EosId,
        };
        using (var model = CausalLanguageModel.Create(config, seed: 5, DType.Float32))
            model.Save(Policy, DType.Float32);
        tokenizer.Save(Policy);
        using (var classifier = SequenceClassifier.Load(Policy, DType.Float32, seed: 9, labels: 1))
            classifier.Save(RewardModel, DType.Float32);
        tokenizer.Save(RewardModel);
        Prompts = Write("prompts.jsonl", Enumerable.Range(0, 11).Select(i => new JsonObject { ["prompt"] = Question(i), ["answer"] = "yes", ["prompt_id"] = $"id{i}" }));
    }

    public string Policy => folder.File("policy");

    public string RewardModel => folder.File("reward");

    /// <summary>Eleven questions: no whole number of blocks.</summary>
    public string Prompts { get; }

    public string File(string name) => folder.File(name);

    public string Write(string name, IEnumerable<JsonObject> rows)
    {
        System.IO.File.WriteAllLines(folder.File(name), rows.Select(row => row.ToJsonString()));
        return folder.File(name);
    }

    public void Dispose() => folder.Dispose();

    private static string Question(int i)
    {
        var words = Words.Split(' ');
        return string.Join(' ', Enumerable.Range(0, 3 + i % 4).Select(j => words[(i * 5 + j * 3) % words.Length]));
    }
}
