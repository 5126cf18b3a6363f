using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Training.Options;

namespace Handbook.Recipes.Tests;

public class RecipeReaderTests
{
    [Fact]
    public void Read_UnknownKey_NamesPlaceAndNearest() => Assert.Equal(
        ["r.yaml:4:1: learning_rte: is not a key of a recipe. Did you mean learning_rate?"], Recipes.Problems("learning_rte: 1.0e-5\n"));

    [Fact]
    public void Read_WrongTypes_AreAllReportedInOrder() => Assert.Equal(
        [
            "r.yaml:4:16: learning_rate: expected a number of 0 or more, found text 'fast'.",
            "r.yaml:5:7: seed: expected a whole number of 0 or more, found 1.5.",
            "r.yaml:6:7: bf16: expected true or false, or null, found 1.",
            "r.yaml:7:20: lr_scheduler_type: expected one of: linear, cosine, cosine_with_min_lr, cosine_with_restarts, polynomial, "
                + "constant, constant_with_warmup, inverse_sqrt, warmup_stable_decay, found text 'cosin'. Did you mean cosine?",
        ],
        Recipes.Problems("learning_rate: fast\nseed: 1.5\nbf16: 1\nlr_scheduler_type: cosin\n"));

    [Theory]
    [InlineData("--max_steps")]
    [InlineData("--max_steps", "--bf16")]
    [InlineData("--max_steps=")]
    public void Load_NumberWithoutAValue_SaysThatItIsMissing(params string[] words) => Assert.Equal(
        "command line: max_steps: its value is missing; expected a whole number of -1 or more.",
        Assert.Throws<UserErrorException>(() => RecipeSource.Load(words)).Message);

    [Theory]
    [InlineData("command line: lr_scheduler_kwargs: its value is missing; expected a mapping, or null.", "--lr_scheduler_kwargs")]
    [InlineData("command line: output_dir: its value is missing; expected a text.", "--output_dir")]
    [InlineData("command line: two recipes are named, a.yaml and b.yaml; one is expected.", "a.yaml", "--seed=1", "b.yaml")]
    [InlineData("command line: two recipes are named, a.yaml and b.yaml; one is expected.", "--config", "a.yaml", "--bf16", "b.yaml")]
    [InlineData("command line: 'seed=1' is not of the form --key=value.", "a.yaml", "seed=1")]
    [InlineData("command line: 'seed=1' is not of the form --key=value.", "seed=1")]
    [InlineData("command line: '-seed' is not of the form --key=value.", "-seed")]
    public void Load_WrongWords_SaysWhichAndWhy(string expected, params string[] words) =>
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => RecipeSource.Load(words)).Message);

    [Theory]
    [InlineData("RECIPE", "--max_steps=3", "--bf16")]
    [InlineData("--max_steps=3", "RECIPE", "--bf16")]
    [InlineData("--max_steps", "3", "--bf16", "RECIPE")]
    [InlineData("--bf16", "true", "RECIPE", "--max_steps", "3")]
    [InlineData("--max_steps=3", "--bf16", "--config", "RECIPE")]
    public void Load_RecipeInAnyPosition_IsTheRecipe(params string[] words)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Recipes.Least);
            var source = RecipeSource.Load([.. words.Select(word => word == "RECIPE" ? file : word)]);
            Assert.Equal(file, source.File);
            var options = RecipeReader.Read(source, "sft").Options;
            Assert.Equal((3, Precision.Bfloat16Mixed, false),
                (options.Optimization.MaxSteps, options.Model.Precision, options.Model.IsMachinesPrecision));
        }
        finally { File.Delete(file); }
    }

    [Fact]
    public void Read_NumberThatYamlTakesForText_IsANumber() =>
        Assert.Equal(1e-5, Recipes.Read("learning_rate: 1e-5\n").Options.Optimization.LearningRate);

    [Theory]
    [InlineData("save_steps: 0.05\n", 1001, 51)]
    [InlineData("save_steps: 20\n", 1001, 20)]
    public void Read_SaveSteps_AreStepsOrAShare(string yaml, int total, int expected) =>
        Assert.Equal(expected, Recipes.Read(yaml).Options.Checkpoints.Interval.Resolve(total));

    [Fact]
    public void Read_NoAsEvalStrategy_IsTheWordNo() =>
        Assert.Equal(IntervalStrategy.No, Recipes.Read("eval_strategy: no\nsave_strategy: no\n").Options.Checkpoints.Strategy);

    [Fact]
    public void Read_OlderNames_AreMappedAndNoted()
    {
        var recipe = Recipes.Read("use_flash_attention_2: true\nmax_seq_length: 512\nevaluation_strategy: steps\n");
        Assert.Equal(512, recipe.Options.Sequences.MaxLength);
        Assert.Equal(IntervalStrategy.Steps, recipe.Options.Evaluation.Strategy);
        Assert.Equal(
            [
                "r.yaml:4:24: use_flash_attention_2: no effect here: the mathematics of eager, sdpa and flash_attention_2 is the same, "
                    + "and the fastest way of the device is taken.",
                "r.yaml:5:17: max_seq_length is the older name of max_length.",
                "r.yaml:6:22: evaluation_strategy is the older name of eval_strategy.",
            ],
            recipe.Notes);
    }

    [Fact]
    public void Read_OlderAndPresentNameWithTwoValues_IsAProblem() => Assert.Equal(
        ["r.yaml:5:17: max_seq_length: is the older name of max_length, which is given too, with another value."],
        Recipes.Problems("max_length: 100\nmax_seq_length: 200\n"));

    [Fact]
    public void Read_AcceptedKey_SaysThatItHasNoEffect() => Assert.Equal(
        "r.yaml:4:1: dataloader_num_workers: no effect here: rows are prepared and read by threads of this process.",
        Assert.Single(Recipes.Read("dataloader_num_workers: 4\n").Notes));

    [Fact]
    public void Read_RefusedKey_SaysWhatToDo() => Assert.Equal(
        ["r.yaml:4:1: hub_token: a token does not belong into a file; set HF_TOKEN in the environment."],
        Recipes.Problems("hub_token: hf_x\n"));

    [Fact]
    public void Read_KeyOfAnotherTask_SaysWhose() => Assert.Equal(
        ["r.yaml:4:1: beta: belongs to dpo, orpo, kto, cpo, bco, not to sft."], Recipes.Problems("beta: 0.1\n"));

    [Fact]
    public void Read_RepeatedKey_IsNoted() => Assert.Equal(
        "r.yaml:5:1: seed is given more than once; the last one counts.", Assert.Single(Recipes.Read("seed: 1\nseed: 2\n").Notes));

    [Fact]
    public void Read_NothingGiven_NamesWhatIsRequired() => Assert.Equal(
        ["r.yaml:1:1: output_dir: is required: The folder of the run."], Recipes.ProblemsWhole("seed: 1\n"));

    [Fact]
    public void Read_WithoutModelAndData_NamesBoth() => Assert.Equal(
        [
            "r.yaml:1:1: model_name_or_path: is required: a local folder or a hub id (or model_config for a new model).",
            "r.yaml:1:1: dataset_name: is required: a file, a folder or a hub id (or dataset_mixture for several).",
        ],
        Recipes.ProblemsWhole("output_dir: out\n"));

    [Fact]
    public void Read_InsideAMixture_NamesThePlaceInTheList() => Assert.Equal(
        [
            "r.yaml:5:7: dataset_mixture.datasets[0].spilt: is not a key of a recipe. Did you mean split?",
            "r.yaml:6:7: dataset_mixture.datasets[1].id: is required: A file, a folder, or a hub id.",
            "r.yaml:6:15: dataset_mixture.datasets[1].weight: expected a number from 0 to 1, or null, found 2.",
        ],
        Recipes.ProblemsWhole("output_dir: o\ndataset_mixture:\n  datasets:\n    - id: a\n      spilt: x\n    - weight: 2\n"));

    [Fact]
    public void Read_Mixture_KeepsOrderWeightsAndSeed()
    {
        var data = Recipes.ReadWhole(
            "model_name_or_path: m\noutput_dir: o\ndataset_mixture:\n  datasets:\n  - {id: "
            + "a, split: train_sft, weight: 0.5, columns: [messages]}\n"
            + "  - {id: b, config: c, columns: [messages]}\n  seed: 7\n  test_split_size: 1000\n").Options.Data;
        Assert.Equal(MixtureForm.Mixture, data.Form);
        Assert.Equal([("a", null, "train_sft", 0.5), ("b", "c", "train", 1.0)],
            data.Sources.Select(source => (source.Name, source.Config, source.Split, source.Weight)));
        Assert.Equal((7, new RowCount(1000, false)), (data.MixtureSeed, data.TestSplitSize!.Value));
    }

    [Fact]
    public void Read_Mixer_GivesEverySplitOfEveryDataset()
    {
        var data = Recipes.ReadWhole(
            "model_name_or_path: m\noutput_dir: o\ndataset_mixer:\n  a: 1.0\n  "
            + "b: 0.15\ndataset_splits: [train_sft, test_sft]\n").Options.Data;
        Assert.Equal(
            [("a", "train_sft", 1.0), ("a", "test_sft", 1.0), ("b", "train_sft", 0.15), ("b", "test_sft", 0.15)],
            data.Sources.Select(source => (source.Name, source.Split, source.Weight)));
        Assert.Equal((MixtureForm.Mixer, 42), (data.Form, data.MixtureSeed));
    }

    [Fact]
    public void Read_UnderAnOlderProfile_TakesItsDefaults()
    {
        var sft = Recipes.Read("profile: v0.3\n").Options;
        Assert.Equal(PackingStrategy.Legacy, sft.Sequences.Packing);
        Assert.Equal(LossNormalization.MicroBatches, sft.Optimization.Normalization);
        Assert.Equal(PackingStrategy.BestFitBy1000, Recipes.Read("profile: trl-0.19\npacking: true\n").Options.Sequences.Packing);
        Assert.Equal(PackingStrategy.BestFit, Recipes.Read("packing: true\n").Options.Sequences.Packing);
        Assert.Equal(PackingStrategy.None, Recipes.Read("").Options.Sequences.Packing);
    }

    [Theory]
    [InlineData("", Precision.Auto)]
    [InlineData("precision: auto\n", Precision.Auto)]
    [InlineData("torch_dtype: bfloat16\n", Precision.Auto)]
    [InlineData("bf16: null\n", Precision.Auto)]
    [InlineData("bf16: true\n", Precision.Bfloat16Mixed)]
    [InlineData("precision: auto\nbf16: true\n", Precision.Bfloat16Mixed)]
    [InlineData("bf16: true\ntorch_dtype: bfloat16\n", Precision.Bfloat16Mixed)]
    [InlineData("bf16: false\ntorch_dtype: bfloat16\n", Precision.Bfloat16)]
    [InlineData("bf16: false\n", Precision.Float32)]
    [InlineData("fp16: true\n", Precision.Float16Mixed)]
    [InlineData("precision: fp32\n", Precision.Float32)]
    public void Read_NumbersOfTheRun_FollowTheirKeys(string yaml, Precision expected) =>
        Assert.Equal(expected, Recipes.Read(yaml).Options.Model.Precision);

    [Fact]
    public void Read_Environment_IsText() => Assert.Equal(
        new Dictionary<string, string> { ["A"] = "1", ["B"] = "x", ["C"] = "True" },
        Recipes.Read("env:\n  A: 1\n  B: x\n  C: yes\n").Options.Environment);

    [Theory]
    [InlineData("truncation_side: left\n", TruncationMode.KeepEnd)]
    [InlineData("truncation_side: left\ntruncation_mode: keep_start\n", TruncationMode.KeepStart)]
    [InlineData("", null)]
    public void Read_TruncationSide_HoldsWhereNoModeIsGiven(string yaml, TruncationMode? expected) =>
        Assert.Equal(expected, Recipes.Read(yaml).Options.Sequences.Truncation);

    [Theory]
    [InlineData("lr_scheduler_type: cosine_with_min_lr\n",
        "r.yaml:4:20: lr_scheduler_type: cosine_with_min_lr needs exactly one of lr_scheduler_kwargs.min_lr_rate and .min_lr.")]
    [InlineData("lr_scheduler_type: linear\nlr_scheduler_kwargs: {power: 2}\n",
        "r.yaml:5:30: lr_scheduler_kwargs.power: linear has no such parameter, nor any other.")]
    [InlineData("load_in_4bit: true\n",
        "r.yaml:4:15: load_in_4bit: needs use_peft: true: weights in few bits are frozen, an adapter is what trains.")]
    [InlineData("use_peft: true\nload_in_4bit: true\nload_in_8bit: true\n",
        "r.yaml:6:15: load_in_8bit: excludes load_in_4bit; give one of them.")]
    [InlineData("bf16: true\nfp16: true\n", "r.yaml:5:7: fp16: bf16 and fp16 exclude each other.")]
    [InlineData("save_strategy: best\n", "r.yaml:4:16: save_strategy: best needs an eval_strategy: without evaluation nothing is best.")]
    [InlineData("load_best_model_at_end: true\neval_strategy: epoch\n",
        "r.yaml:4:25: load_best_model_at_end: needs save_strategy (steps) and eval_strategy (epoch) to be the same.")]
    [InlineData("assistant_only_loss: true\ncompletion_only_loss: true\n",
        "r.yaml:4:22: assistant_only_loss: excludes completion_only_loss: true; give one of them.")]
    [InlineData("model_config: {model_type: llama}\n",
        "r.yaml:4:15: model_config: describes a new model, but model_name_or_path names one too; give one of them.")]
    [InlineData("dataset_splits: [train]\n", "r.yaml:4:17: dataset_splits: belongs to dataset_mixer, which is not given.")]
    [InlineData("task: dpo\n", "r.yaml:4:7: task: the recipe is for dpo, the command is sft.")]
    [InlineData("precision: fp32\nbf16: true\n", "r.yaml:4:12: precision: fp32 contradicts bf16: true.")]
    [InlineData("tokenizer_name_or_path: ''\n", "r.yaml:4:25: tokenizer_name_or_path: is empty; give a value or leave the key out.")]
    [InlineData("tokenizer_name_or_path: ' '\n", "r.yaml:4:25: tokenizer_name_or_path: is empty; give a value or leave the key out.")]
    [InlineData("max_steps: -5\n", "r.yaml:4:12: max_steps: expected a whole number of -1 or more, found -5.")]
    public void Read_RuleBetweenKeys_IsToldWithItsReason(string yaml, string expected) =>
        Assert.Contains(expected, Recipes.Problems(yaml));

    [Theory]
    [InlineData("dpo", "sync_ref_model: true\nprecompute_ref_log_probs: true\n",
        "r.yaml:4:17: sync_ref_model: excludes precompute_ref_log_probs: true; a "
        + "reference that follows the policy is computed at every step.")]
    [InlineData("cpo", "loss_type: aot\n",
        "r.yaml:4:12: loss_type: aot is not a loss of cpo; expected sigmoid, hinge, ipo, simpo, alphapo.")]
    [InlineData("kto", "loss_type: [kto, apo_zero_unpaired]\n", "r.yaml:4:12: loss_type: has 2 losses; kto takes one.")]
    [InlineData("dpo", "loss_type: [sigmoid, sft]\nloss_weights: [1]\n",
        "r.yaml:5:15: loss_weights: has 1 entry for 2 losses; it must have one for each.")]
    public void Read_RuleOfPreferences_IsToldWithItsReason(string task, string yaml, string expected) =>
        Assert.Contains(expected, Recipes.Problems(yaml, task));

    [Theory]
    [InlineData("", 0.25, null)]
    [InlineData("profile: trl-0.19\n", 0.75, 1.0)]
    public void Read_ProfileOfAnEarlierTrl_ReadsAlphaAndWeightsAsItDid(string yaml, double alpha, double? limit)
    {
        var options = Recipes.Read(yaml + "f_alpha_divergence_coef: 0.25\n", "dpo").Options.Preference;

        Assert.Equal((alpha, limit), (options.FAlphaDivergenceCoefficient, options.WeightLimit));
    }

    [Fact]
    public void Read_SplitForAnswers_IsRefused()
    {
        Assert.Equal(TruncationMode.Split, Recipes.Read("truncation_mode: split\n").Options.Sequences.Truncation);
        Assert.Equal(
            ["r.yaml:4:18: truncation_mode: split belongs to cpt and sft: the answers of dpo stand or "
                + "fall with their prompt; expected keep_end, keep_start or drop."],
            Recipes.Problems("truncation_mode: split\n", "dpo"));
    }
}
