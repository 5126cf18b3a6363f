using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Models;
using Handbook.Tokenizers;
using Handbook.Tokenizers.Training;
using Handbook.Torch;

namespace Handbook.TestModels;

/// <summary>A folder with a chat model and a reward model of random weights, their tokenizer, and prompts. Gone after the test.</summary>
public sealed class TinyChat : IDisposable
{
    private const string Words = "hello there how are you today my friend one two three four five six seven eight nine ten yes no perhaps";
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-chat-").FullName;
    private readonly Lazy<string> rewardModel;

    public TinyChat()
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|im_start|>", "<|im_end|>"] });
        trainer.Feed(Words);
        var tokenizer = trainer.Train(new TokenizerSettings { EosToken = "<|im_end|>", ChatTemplate = ChatTemplate.ChatMl });
        var config = new JsonObject
        {
            ["model_type"] = "llama", ["vocab_size"] = tokenizer.VocabSize, ["hidden_size"] = 32,
            ["intermediate_size"] = 64, ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2, ["max_position_embeddings"] = 512, ["tie_word_embeddings"] = true,
            ["initializer_range"] = 0.3, ["eos_token_id"] = tokenizer.EosId,
        };
        using (var model = CausalLanguageModel.Create(config, seed: 5, DType.Float32))
            model.Save(Policy, DType.Float32);
        tokenizer.Save(Policy);
        rewardModel = new Lazy<string>(() =>
        {
            using var classifier = SequenceClassifier.Load(Policy, DType.Float32, seed: 9, labels: 1);
            classifier.Save(File("reward"), DType.Float32);
            tokenizer.Save(File("reward"));
            return File("reward");
        });
        Prompts = Write("prompts.jsonl",
            Enumerable.Range(0, 11).Select(i => new JsonObject { ["prompt"] = Question(i), ["answer"] = "yes", ["prompt_id"] = $"id{i}" }));
    }

    /// <summary>The folder of the language model.</summary>
    public string Policy => File("policy");

    /// <summary>The folder of the reward model, made when first asked for.</summary>
    public string RewardModel => rewardModel.Value;

    /// <summary>Eleven questions: no whole number of blocks.</summary>
    public string Prompts { get; }

    public string File(string name) => Path.Combine(folder, name);

    public string Write(string name, IEnumerable<JsonObject> rows) =>
        Write(name, string.Concat(rows.Select(row => row.ToJsonString() + "\n")));

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Question(int i)
    {
        var words = Words.Split(' ');
        return string.Join(' ', Enumerable.Range(0, 3 + i % 4).Select(j => words[(i * 5 + j * 3) % words.Length]));
    }
}
