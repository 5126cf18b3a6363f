using System.CommandLine;
using System.Globalization;
using Handbook.Models.Adapters;
using Handbook.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook merge</c>: an adapter and all that it was trained on as one model.</summary>
internal static class MergeCommand
{
    private static readonly Dictionary<string, (DType Type, double Bound)> Types = new()
    {
        ["float32"] = (DType.Float32, 1e-4), ["bfloat16"] = (DType.BFloat16, 0.05), ["float16"] = (DType.Float16, 0.01),
    };

    public static Command Create(Terminal terminal)
    {
        var adapter = new Argument<string>("ADAPTER") { Description = "The adapter's folder." };
        var output = new Option<string>("--output") { Description = "The folder to write.", Required = true };
        var dtype = new Option<string>("--dtype")
        {
            Description = $"Numbers of the merged weights: {string.Join(", ", Types.Keys)}", DefaultValueFactory = _ => "bfloat16",
        };
        var bound = new Option<double?>("--bound")
        {
            Description = "Largest difference of a logit that is allowed, as a share of the largest one; left out: "
                + string.Join(", ", Types.Select(type => string.Create(CultureInfo.InvariantCulture, $"{type.Value.Bound} for "
                + $"{type.Key}"))),
        };
        var overwrite = OverwriteOption.Create();
        var command = new HandbookCommand("merge",
            "Write an adapter, with every adapter that it was trained on, and its base as one model; prints how far the two differ.",
            "handbook merge output/dpo --output output/final",
            "handbook merge output/dpo --output output/final --dtype float32")
        {
            adapter, output, dtype, bound, overwrite,
        };
        command.SetAction(parsed =>
            Run(parsed.GetValue(adapter)!, parsed.GetValue(output)!, parsed.GetValue(dtype)!, parsed.GetValue(bound),
            parsed.GetValue(overwrite), terminal));
        return command;
    }

    private static void Run(string path, string output, string dtype, double? bound, bool overwrite, Terminal terminal)
    {
        if (!Types.TryGetValue(dtype, out var chosen))
            throw new UserErrorException($"--dtype {dtype}: is not known; expected {string.Join(", ", Types.Keys)}."
                + NearestName.Hint(dtype, Types.Keys));
        if (bound is not (null or >= 0))
            throw new UserErrorException(FormattableString.Invariant($"--bound {bound}: a number of 0 or more is expected."));
        CheckOutput(path, output, overwrite);
        var found = AdapterMerge.Run(path, output, chosen.Type, bound ?? chosen.Bound, folder =>
        {
            if (RunTokenizer.FolderOf(path) is { } holder && Tokenizer.IsIn(holder))
                Tokenizer.Load(holder).Save(folder);
        });
        var codes = found.Codes is { } held ? $", dequantised from {held}" : "";
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{output}: {dtype}; merged from {found.Base}{codes}; the ")
            + string.Create(CultureInfo.InvariantCulture,
                $"largest difference of a logit is {found.Difference:G3}, of logits up to {found.Largest:G3}"));
    }

    private static void CheckOutput(string path, string output, bool overwrite)
    {
        OutputFile.CheckFolder("--output", output);
        if (!Directory.Exists(output))
            return;
        var (model, adapters) = AdapterChain.Of(path);
        if (adapters.Select(adapter => adapter.Path).Append(model).FirstOrDefault(read => IsInside(read, output)) is { } inside)
            throw new UserErrorException($"--output {output}: holds {inside}, which is read here; name another.");
        if (!overwrite && Directory.EnumerateFileSystemEntries(output).Any())
            throw new UserErrorException($"--output {output}: is not empty; name another, or add --overwrite.");
    }

    private static bool IsInside(string folder, string output)
    {
        var (inner, outer) = (Path.GetFullPath(folder).TrimEnd('/'), Path.GetFullPath(output).TrimEnd('/'));
        return inner == outer || inner.StartsWith(outer + "/", StringComparison.Ordinal);
    }
}
