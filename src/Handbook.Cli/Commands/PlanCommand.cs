using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Cli.Progress;
using Handbook.Recipes;
using Handbook.Training.Planning;
using Handbook.Training.Progress;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook plan</c>: what a run will need before it runs.</summary>
internal static class PlanCommand
{
    private const int FewestTokens = 4;
    private const int MostTokens = 1 << 20;
    private const int MostDevices = 1 << 16;

    public static Command Create(Terminal terminal)
    {
        var tokens = new Option<int?>("--tokens")
        {
            Description = "Plan for rows of so many tokens (of pairs: a prompt with one answer), without reading the data.",
        };
        var devices = new Option<int>("--devices")
        {
            Description = "Plan for one of so many devices that hold weights, gradients and optimizer in shares (ZeRO-3); handbook itself "
                + "trains on one so far.",
            DefaultValueFactory = _ => 1,
        };
        var memory = new Option<string?>("--memory") { Description = "Memory that there is, such as 24GB; left out: what is free here." };
        var brief = new Option<bool>("--brief") { Description = "Leave out what other settings would save and cost." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new HandbookCommand("plan",
            "Say how much memory a recipe's run needs at its peak, and who holds it, how long its steps take on this machine, and what "
                + "other settings would save and cost. A few steps of a model cut down to some layers are run for it.",
            "handbook plan recipe.yaml",
            "handbook plan recipe.yaml --memory 24GB --gradient_checkpointing=true",
            "handbook plan recipe.yaml --tokens 4096 --json")
        {
            tokens, devices, memory, brief, json,
        };
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            var length = parsed.GetValue(tokens);
            if (length is < FewestTokens or > MostTokens)
                throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                    $"--tokens {length}: a number from {FewestTokens} to {MostTokens} is expected."));
            var count = parsed.GetValue(devices);
            if (count is < 1 or > MostDevices)
                throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                    $"--devices {count}: a number from 1 to {MostDevices} is expected."));
            var limit = parsed.GetValue(memory) is { } text ? MemorySize.Parse("--memory", text) : (long?)null;
            var recipe = DataCommand.ReadRecipe(parsed.GetValue(words)!, "plan", terminal);
            RecipeSupport.Refuse(recipe);
            // What a program reads on the other stream is the object alone.
            var progress = parsed.GetValue(json) ? new PlainProgress(terminal.Error) : TerminalProgress.Of(terminal);
            progress.Begin("plan", []);
            using var run = RunPlan.Open(recipe.Options, length, limit, count, progress, stop);
            var plan = run.Of();
            var choices = parsed.GetValue(brief) ? [] : run.Choices(stop);
            progress.End();
            if (parsed.GetValue(json))
                terminal.Output.WriteLine(Json(plan, choices).ToJsonString());
            else
                Write(plan, choices, terminal);
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static void Write(StepPlan plan, IReadOnlyList<(string Settings, StepPlan Plan)> choices, Terminal terminal)
    {
        ResultTable.Write(["memory at its peak", ""],
            [.. plan.Memory.Select(part => new[] { PlanText.Name(part.Owner), PlanText.Bytes(part.Bytes) }),
                ["together", PlanText.Bytes(plan.Peak)]], terminal);
        terminal.Output.WriteLine(PlanText.Memory(plan));
        terminal.Output.WriteLine(PlanText.Time(plan));
        if (choices.Count == 0)
            return;
        ResultTable.Write(["other settings", "memory", "step, s", ""],
            [.. choices.Select(choice => new[]
            {
                choice.Settings, PlanText.Bytes(choice.Plan.Peak), PlanText.Seconds(choice.Plan.StepSeconds),
                choice.Plan.IsTooLarge ? "too large" : "fits",
            })], terminal);
    }

    private static JsonObject Json(StepPlan plan, IReadOnlyList<(string Settings, StepPlan Plan)> choices)
    {
        var json = Json(plan);
        json["settings"] = new JsonArray([.. choices.Select(choice =>
        {
            var one = Json(choice.Plan);
            one.Insert(0, "settings", choice.Settings);
            return (JsonNode)one;
        })]);
        return json;
    }

    private static JsonObject Json(StepPlan plan) => new()
    {
        ["memory"] = new JsonObject(plan.Memory.Select(part =>
            KeyValuePair.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(part.Owner.ToString()), (JsonNode?)part.Bytes))),
        ["peak_bytes"] = plan.Peak,
        ["limit_bytes"] = plan.Limit,
        ["fits"] = !plan.IsTooLarge,
        ["step_seconds"] = plan.StepSeconds,
        ["tokens_per_second"] = plan.TokenRate,
        ["tokens_per_step"] = plan.Load.Mean.Tokens * plan.Load.MicroBatches,
        ["steps"] = plan.Load.Steps,
        ["run_seconds"] = plan.RunSeconds,
    };
}
