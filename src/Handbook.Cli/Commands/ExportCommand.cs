using System.CommandLine;
using System.Globalization;
using Handbook.Gguf;
using Handbook.Models.Adapters;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook export gguf</c>: a model or adapter folder for other programs.</summary>
internal static class ExportCommand
{
    public static Command Create(Terminal terminal) =>
        new HandbookCommand("export", "Write a model for other programs.") { Gguf(terminal) };

    private static HandbookCommand Gguf(Terminal terminal)
    {
        var folder = new Argument<string>("MODEL") { Description = "The folder of a model, or of an adapter for its base's file." };
        var output = new Option<string>("--output")
        {
            Description = "The file to write; a Modelfile for Ollama comes beside it.", Required = true,
        };
        var type = new Option<string?>("--type")
        {
            Description = $"Type of most matrices: {string.Join(", ", FileType.All.Select(one => one.Name))} "
                + "(default: q8_0; f32 for an adapter)",
        };
        var overwrite = OverwriteOption.Create();
        var command = new HandbookCommand("gguf", "Write a model with its tokenizer and chat template as GGUF, for llama.cpp and Ollama.",
            "handbook export gguf output/final --output model.gguf",
            "handbook export gguf output/final --type q4_k --output model-q4_k.gguf",
            "handbook export gguf output/adapter --output adapter.gguf")
        {
            folder, output, type, overwrite,
        };
        command.SetAction(parsed =>
        {
            var (path, file) = (parsed.GetValue(folder)!, parsed.GetValue(output)!);
            var isAdapter = AdapterFolder.Is(path);
            var chosen = FileType.Find(parsed.GetValue(type) ?? (isAdapter ? "f32" : "q8_0"));
            Check(path, file, parsed.GetValue(overwrite));
            Tell(isAdapter ? AdapterExport.Run(path, file, chosen) : GgufExport.Run(path, file, chosen), file, terminal);
        });
        return command;
    }

    private static void Check(string path, string file, bool overwrite)
    {
        OutputFile.Check("--output", file, overwrite, GgufExport.Mark);
        var modelfile = GgufExport.ModelfileOf(file);
        OutputFile.Check("--output", modelfile, overwrite, GgufExport.ModelfileMark);
        if (!Directory.Exists(path))
            return;
        // Both may lie in the model's folder, beside what is read.
        var read = Directory.EnumerateFiles(path).Where(name => Path.GetExtension(name) is not ("" or ".gguf")).ToList();
        OutputFile.RefuseInputs("--output", file, read);
        OutputFile.RefuseInputs("--output", modelfile, read);
    }

    private static void Tell(GgufSummary summary, string file, Terminal terminal)
    {
        foreach (var note in summary.Notes)
            terminal.Error.WriteLine("note: " + note);
        var types = summary.Tensors.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} {pair.Key}"));
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{file}: {summary.Architecture}, {summary.ByteCount / 1e6:F1} MB, tensors: {string.Join(", ", types)}"));
        terminal.Output.WriteLine($"{summary.Modelfile}: for ollama create");
    }
}
