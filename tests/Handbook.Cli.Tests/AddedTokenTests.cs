using System.Text.Json.Nodes;
using Handbook.Tokenizers;

namespace Handbook.Cli.Tests;

/// <summary>A ChatML template over a base model whose tokenizer does not know its markers.</summary>
public sealed class AddedTokenTests
{
    private const string Template = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}";

    [Fact]
    public void Sft_ChatMlTemplate_AddsItsMarkersAndGrowsTheModel()
    {
        using var run = new TinyRun();
        run.Run("base", "--max_steps=2", "--save_strategy=no");
        var before = Tokenizer.Load(Path.Combine(run.Folder, "base")).VocabSize;
        var recipe = WriteRecipe(run);

        var text = run.RunCommand("sft", recipe, "chat");
        var rows = run.RunCommand("sft", recipe, "old", "--profile=trl-0.19");

        var folder = Path.Combine(run.Folder, "chat");
        var tokenizer = Tokenizer.Load(folder);
        Assert.Equal(before + 2, tokenizer.VocabSize);
        Assert.Equal("<|im_end|>", tokenizer.Settings.EosToken);
        Assert.Contains("added tokens <|im_start|>, <|im_end|>: the embedding grows", text, StringComparison.Ordinal);
        Assert.Equal(before + 2, (int)Json(folder, "config.json")["vocab_size"]!);
        Assert.Equal(tokenizer.EosId, (int)Json(folder, "config.json")["eos_token_id"]!);
        Assert.Equal(tokenizer.EosId, (int)Json(folder, "generation_config.json")["eos_token_id"]!);
        Assert.DoesNotContain("added tokens", rows, StringComparison.Ordinal);

        // The grown model is one like any other: the next stage starts from it.
        run.RunCommand("sft", recipe, "again", $"--model_name_or_path={folder}");
        Assert.Equal(before + 2, (int)Json(Path.Combine(run.Folder, "again"), "config.json")["vocab_size"]!);
    }

    private static JsonNode Json(string folder, string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, name)))!;

    private static string WriteRecipe(TinyRun run)
    {
        var data = Path.Combine(run.Folder, "chats.jsonl");
        File.WriteAllLines(data, Enumerable.Range(0, 12).Select(i =>
            new JsonObject
            {
                ["messages"] = new JsonArray(
                    new JsonObject { ["role"] = "user", ["content"] = $"the quick fox {i}" },
                    new JsonObject { ["role"] = "assistant", ["content"] = $"jumps over {i} dogs" }),
            }.ToJsonString()));
        var recipe = Path.Combine(run.Folder, "chat.yaml");
        File.WriteAllText(recipe, $"""
            model_name_or_path: {run.Folder}/base
            dataset_name: {data}
            chat_template: {JsonValue.Create(Template).ToJsonString()}
            max_length: 64
            max_steps: 2
            save_strategy: "no"
            per_device_train_batch_size: 2

            """);
        return recipe;
    }
}
