using System.Collections;
using System.Reflection;
using Handbook.Autograd;
using Handbook.Cli;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Training.Options;

namespace Handbook.Conventions.Tests;

/// <summary>
/// A key that the table calls honoured changes what a run is told, and what it changes is read by the code that runs; or the run is
/// refused by name. Keys without an effect belong to the accepted ones.
/// </summary>
public sealed class HonouredKeyTests : IDisposable
{
    private const string Server = "  url: http://localhost:1/v1\n  model: m\n";

    private static readonly Dictionary<string, string> Sections = new()
    {
        ["lr_scheduler_kwargs."] = "lr_scheduler_kwargs:\n  @\n",
        ["dataset_mixture."] = "dataset_mixture:\n  datasets:\n  - id: d1\n    weight: 0.5\n  - id: d2\n  @\n",
        ["dataset_mixture.datasets[]."] = "dataset_mixture:\n  datasets:\n  - id: d1\n    @\n",
        ["dataset_kwargs."] = "dataset_kwargs:\n  @\n",
        ["endpoint."] = "model_name_or_path: null\nendpoint:\n" + Server + "  @\n",
        ["judge."] = "reward_funcs: judge\njudge:\n" + Server + "  @\n",
    };

    // What a key needs beside it to mean anything.
    private static readonly Dictionary<string, string> Beside = new()
    {
        ["lr_scheduler_kwargs.min_lr_rate"] = "lr_scheduler_type: cosine_with_min_lr\n",
        ["lr_scheduler_kwargs.min_lr"] = "lr_scheduler_type: cosine_with_min_lr\nlearning_rate: 10\n",
        ["lr_scheduler_kwargs.num_cycles"] = "lr_scheduler_type: cosine\n",
        ["lr_scheduler_kwargs.power"] = "lr_scheduler_type: polynomial\n",
        ["lr_scheduler_kwargs.lr_end"] = "lr_scheduler_type: polynomial\n",
        ["dataset_mixture.probabilities"] = "",
        ["dataset_splits"] = "dataset_mixer: {d: 1.0}\n",
        ["dataset_configs"] = "dataset_mixer: {d: 1.0}\n",
        ["deduplicate_threshold"] = "deduplicate: near\n",
        ["load_best_model_at_end"] = "eval_strategy: steps\n",
        ["loss_weights"] = "loss_type: [sigmoid, ipo]\n",
        ["do_train"] = "do_eval: true\n",
        ["rounds"] = "train_recipe: t.yaml\n",
        ["prompts_per_round"] = "train_recipe: t.yaml\n",
        ["model_config"] = "model_name_or_path: null\ntokenizer_name_or_path: t\n",
        ["packing_strategy"] = "packing: true\n",
        ["adapter_name_or_path"] = "use_peft: true\n",
        ["init_lora_weights"] = "use_peft: true\n",
        ["ensure_weight_tying"] = "use_peft: true\n",
        ["lora_target_parameters"] = "lora_dropout: 0\n",
    };

    private static readonly Dictionary<string, string[]> Values = new()
    {
        ["device"] = ["cpu", "cuda:3"],
        ["model_config"] = ["{model_type: llama, hidden_size: 8}", "{model_type: llama, hidden_size: 16}"],
        ["dataset_splits"] = ["[train]", "[train, test]"],
        ["dataset_configs"] = ["[a]", "[b]"],
        ["loss_weights"] = ["[1, 2]", "[3, 4]"],
        ["reward_weights"] = ["[1]", "[2]"],
        ["row_filters"] = ["[score >= 4]", "[score >= 5]"],
        ["reward_funcs"] = ["words", "'reward_model:r'"],
        ["endpoint.url"] = ["http://localhost:2/v1"],
        ["judge.url"] = ["http://localhost:2/v1"],
        ["dataset_mixture.probabilities"] = ["[0.25, 0.75]\n  interleave: first_exhausted", "[0.5, 0.5]\n  interleave: first_exhausted"],
    };

    private static readonly string[] Running =
    [
        "Foundation", "Torch", "Autograd", "Models", "Templates", "Tokenizers", "Chat", "Data", "Training", "Reports", "Sampling",
    ];

    private static readonly Lazy<HashSet<string>> Read = new(() => PropertyReads.In(
        Running.Select(name => Assembly.Load("Handbook." + name)).Append(typeof(CommandLine).Assembly)));

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("handbook-keys-");

    public static TheoryData<string> Keys() =>
    [
        .. RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour && row.Kind is not (KeyKind.Section or KeyKind.SectionList))
            .Select(row => row.Name),
    ];

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Keys))]
    public void HonouredKey_ChangesWhatTheRunningCodeReads(string name)
    {
        var row = RecipeKeyTable.Find(name)!;
        // The one key that is a rule and no option: it must agree with the command.
        if (name == "task")
        {
            Assert.Contains("the recipe is for dpo, the command is sft",
                Assert.Throws<UserErrorException>(() => Bind(row, "sft", "dpo")).Message, StringComparison.Ordinal);
            return;
        }
        var task = RecipeTasks.All.First(task => row.Tasks.Includes(task));
        var bound = Candidates(row).Prepend(null).Select(value => TryBind(row, task, value)).OfType<object>().ToList();
        var changed = bound.Skip(1).SelectMany(options => Differences(bound[0], options, [])).Distinct().ToList();

        Assert.True(changed.Count > 0, $"{name}: no value of {bound.Count} changes what the run is told");
        if (bound.OfType<RunOptions>().Any(options => RecipeSupport.FindMissing(options).Count > 0))
            return;
        Assert.True(changed.Any(chain => chain.Split(' ').All(Read.Value.Contains)),
            $"{name}: nothing outside the recipes reads {string.Join(" or ", changed)}");
    }

    /// <summary>The reading is found where it is, and not where it isn't.</summary>
    [Fact]
    public void PropertyReads_KnowWhatIsRead()
    {
        Assert.Contains(PropertyReads.Name(typeof(OptimizationOptions), nameof(OptimizationOptions.LearningRate)), Read.Value);
        // For tests and tools alone.
        Assert.DoesNotContain(PropertyReads.Name(typeof(QuantizedWeight), nameof(QuantizedWeight.ByteCount)), Read.Value);
    }

    private IEnumerable<string> Candidates(RecipeKey row)
    {
        if (row.Name == "constitution")
            return new[] { "kind", "brief" }.Select(Principles);
        return Values.TryGetValue(row.Name, out var own) ? own
            : row.Choices.Count > 0 ? row.Choices.Select(choice => $"'{choice}'") : row.Kind switch
        {
            KeyKind.Flag => ["true", "false"],
            KeyKind.Integer or KeyKind.Steps or KeyKind.RowShare => ["3", "7"],
            KeyKind.Number => ["0.25", "0.75", "3"],
            KeyKind.TextOrFlag => ["true", "checkpoint-3"],
            KeyKind.TextList => ["[one]", "[two]"],
            KeyKind.NumberList => ["[1]", "[2]"],
            KeyKind.NumberMap => ["{one: 0.25}", "{one: 0.5}"],
            KeyKind.TextMap => ["{one: a}", "{one: b}"],
            _ => ["ONE", "TWO"],
        };
    }

    private object? TryBind(RecipeKey row, string task, string? value)
    {
        try
        {
            return Bind(row, task, value);
        }
        catch (UserErrorException)
        {
            return null;
        }
    }

    private object Bind(RecipeKey row, string task, string? value)
    {
        var section = row.Section.StartsWith("lr_scheduler_kwargs", StringComparison.Ordinal) && !Beside.ContainsKey(row.Name)
            ? "lr_scheduler_type: warmup_stable_decay\nlr_scheduler_kwargs:\n  num_decay_steps: 2\n  @\n"
            : Sections.GetValueOrDefault(row.Section, "@\n");
        var pair = value is null ? "" : $"{row.LocalName}: {value}";
        var least = "model_name_or_path: m\ndataset_name: d.jsonl\noutput_dir: out\n" + task switch
        {
            "sample" => "reward_funcs: words\n",
            "constitution" => $"constitution: {Principles("kind")}\n",
            _ => "",
        };
        var adapters = row.Name.StartsWith("lora_", StringComparison.Ordinal)
                || row.Name is "use_rslora" or "use_dora" or "load_in_4bit" or "load_in_8bit" ? "use_peft: true\n"
            : row.Name.Contains("bnb", StringComparison.Ordinal) ? "use_peft: true\nload_in_4bit: true\n" : "";
        var path = Path.Combine(folder.FullName, "r.yaml");
        File.WriteAllText(path,
            least + adapters + Beside.GetValueOrDefault(row.Name, "") + section.Replace("@", pair, StringComparison.Ordinal));
        var source = RecipeSource.Load([path]);
        return task switch
        {
            "sample" => SampleRecipe.Read(source),
            "constitution" => ConstitutionRecipe.Read(source),
            _ => RecipeReader.Read(source, task).Options,
        };
    }

    private string Principles(string word)
    {
        var path = Path.Combine(folder.FullName, word + ".json");
        File.WriteAllText(path, $$"""{"constitutions": [{"critic": "{{word}}?", "revision": "be {{word}}"}]}""");
        return path;
    }

    /// <summary>Chains of properties, from the options down to values that differ.</summary>
    private static IEnumerable<string> Differences(object? one, object? other, string[] chain)
    {
        if (Equals(one, other))
            yield break;
        var type = (one ?? other)!.GetType();
        if (one is null || other is null || type != other.GetType()
            || type.Namespace?.StartsWith("Handbook", StringComparison.Ordinal) != true || type.IsEnum)
        {
            if (!Same(one, other))
                yield return string.Join(' ', chain);
            yield break;
        }
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0 && property.CanWrite && !IsRecord(property)))
        {
            foreach (var found in Differences(property.GetValue(one), property.GetValue(other),
                [.. chain, PropertyReads.Name(property.DeclaringType!, property.Name)]))
                yield return found;
        }
    }

    // The recipe itself, kept for cards and comparisons, differs by every key.
    private static bool IsRecord(PropertyInfo property) => property.Name is "Recipe" or "DecisiveKeys" or "SourceKeys" or "Checked";

    private static bool Same(object? one, object? other) => Equals(one, other)
        || (one is IEnumerable first && other is IEnumerable second && one is not string
            && first.Cast<object?>().Select(item => item?.ToString())
                .SequenceEqual(second.Cast<object?>().Select(item => item?.ToString())));
}
