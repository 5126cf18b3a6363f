using System.Text;
using Handbook.TestModels;

namespace Handbook.Cli.Tests;

/// <summary>
/// Files that a run reads, each broken in its own way: found before training, with exit code 2, on lines that name the file. Whoever
/// reads it and whatever exception that reader meets.
/// </summary>
[Collection(nameof(CacheOfItsOwn))]
public sealed class BadFileTests : IClassFixture<TinyChat>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bad-file");
    private readonly TinyChat chat;

    public BadFileTests(TinyChat chat)
    {
        this.chat = chat;
        CacheOfItsOwn.In(folder);
    }

    public void Dispose()
    {
        CacheOfItsOwn.Leave();
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("config.json", "{")]
    [InlineData("config.json", "[]")]
    [InlineData("config.json", "{\"model_type\":7}")]
    [InlineData("generation_config.json", "{")]
    [InlineData("generation_config.json", "[]")]
    [InlineData("generation_config.json", "{\"a\":\"\\ud800\"}")]
    [InlineData("generation_config.json", "{\"a\":1,\"a\":2}")]
    [InlineData("generation_config.json", "{\"eos_token_id\":\"x\"}")]
    [InlineData("generation_config.json", "{\"temperature\":-1}")]
    [InlineData("tokenizer.json", "{")]
    [InlineData("tokenizer.json", "[]")]
    [InlineData("tokenizer.json", "{\"model\":3}")]
    [InlineData("tokenizer_config.json", "{")]
    [InlineData("tokenizer_config.json", "[]")]
    [InlineData("tokenizer_config.json", "{\"chat_template\":\"{% if %}\",\"eos_token\":\"<|im_end|>\"}")]
    [InlineData("tokenizer_config.json", "{\"chat_template\":[{\"name\":\"default\",\"template\":\"{{\"}]}")]
    [InlineData("special_tokens_map.json", "{")]
    [InlineData("special_tokens_map.json", "[]")]
    [InlineData("chat_template.jinja", "{{ messages")]
    [InlineData("chat_template.jinja", "{% for m in messages %}")]
    [InlineData("model.safetensors.index.json", "{")]
    [InlineData("model.safetensors.index.json", "[]")]
    [InlineData("model.safetensors.index.json", "{\"weight_map\":3}")]
    [InlineData("model.safetensors.index.json", "{\"weight_map\":{\"model.norm.weight\":3}}")]
    public async Task Train_ModelFolderWithABadFile_IsRefusedAtOnce(string name, string content)
    {
        var model = folder.CreateSubdirectory("model").FullName;
        foreach (var file in Directory.GetFiles(chat.Policy))
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        if (name.EndsWith("index.json", StringComparison.Ordinal))
            File.Delete(Path.Combine(model, "model.safetensors"));
        // A template file comes before the configuration's.
        if (name == "tokenizer_config.json")
            File.Delete(Path.Combine(model, "chat_template.jinja"));
        File.WriteAllText(Path.Combine(model, name), content);
        await RefusedAsync(model, model, model, Rows());
    }

    [Theory]
    [InlineData("README.md", "---\nconfigs: [\n---\n")]
    [InlineData("dataset_dict.json", "{")]
    public async Task Train_DatasetFolderWithABadFile_IsRefusedAtOnce(string name, string content)
    {
        var data = folder.CreateSubdirectory("data").FullName;
        File.Copy(Rows(), Path.Combine(data, "train.jsonl"));
        File.WriteAllText(Path.Combine(data, name), content);
        await RefusedAsync(data, chat.Policy, chat.Policy, data);
    }

    [Theory]
    [InlineData("{{ messages", "TemplateSyntaxError")]
    [InlineData("{% endfor %}", "TemplateSyntaxError")]
    [InlineData("{{ messages|no_such_filter }}", "no_such_filter")]
    public async Task Recipe_WithABadTemplate_IsRefusedWithItsPlace(string template, string reason)
    {
        var recipe = Path.Combine(folder.FullName, "recipe.yaml");
        File.WriteAllText(recipe,
            $"task: sft\nmodel_name_or_path: {chat.Policy}\ndataset_name: {Rows()}\noutput_dir: {Out}\nchat_template: \"{template}\"\n");
        foreach (var words in (string[][])[["sft", recipe], ["recipe", "check", recipe], ["data", "prepare", recipe]])
        {
            var invocation = await Invocation.RunAsync(words);
            Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
            Assert.StartsWith($"{recipe}:5:", Assert.Single(invocation.ErrorLines), StringComparison.Ordinal);
            Assert.Contains(reason, invocation.Error, StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(Out));
    }

    private string Out => Path.Combine(folder.FullName, "out");

    private string Rows()
    {
        var path = Path.Combine(folder.FullName, "rows.jsonl");
        File.WriteAllText(path, """{"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"yes"}]}""" + "\n",
            new UTF8Encoding(false));
        return path;
    }

    private async Task RefusedAsync(string named, string model, string tokenizer, string data)
    {
        var invocation = await Invocation.RunAsync(
            "sft", $"--model_name_or_path={model}", $"--tokenizer_name_or_path={tokenizer}", $"--dataset_name={data}",
            $"--output_dir={Out}", "--max_steps=1", "--max_length=64");
        Assert.True(invocation.ExitCode == ExitCodes.UserError, $"exit code {invocation.ExitCode}: {invocation.Error}{invocation.Output}");
        Assert.Contains(named, invocation.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out), "a refused run left its output folder behind");
    }
}
