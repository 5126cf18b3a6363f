using System.Security.Cryptography;
using System.Text;
using Handbook.Data.Packing;
using Handbook.Data.Sources;
using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>
/// The name of a store: a hash of everything that decides its content, the data itself included. Names count too, since a store tells its
/// rows by the names that they had when it was made; the hash of its content does not know them.
/// </summary>
internal static class StoreKey
{
    /// <summary>The key.</summary>
    /// <param name="options">What is prepared.</param>
    /// <param name="encoder">How examples become tokens.</param>
    /// <param name="sources">The sources in order, and behind them those that cleaning compares with.</param>
    /// <param name="digests">Hash of every file.</param>
    /// <param name="notes">What else is told of the data.</param>
    public static string Of(
        PreparationOptions options, IExampleEncoder encoder, IReadOnlyList<RowSource> sources, IReadOnlyDictionary<string, string> digests,
        IEnumerable<string> notes)
    {
        var parts = options.Evaluation is null ? options.Sources : [.. options.Sources, options.Evaluation];
        var text = new StringBuilder();
        Line(text, "format", StoreManifest.FormatVersion);
        Line(text, "encoder", encoder.Fingerprint);
        Line(text, "form", $"{options.Form} {options.Profile} {options.MixtureSeed} {options.TestSize} {options.Interleave}");
        Line(text, "text", $"{options.TextColumn} {options.PreferText} {options.Files.TextUnit} {options.Files.MaxRowBytes}");
        Line(text, "limits", $"{options.MaxTrainExamples} {options.MaxEvaluationExamples} {options.SkipBadRows} {options.StreamedRows}");
        Line(text, "cleaning", options.Cleaning);
        foreach (var source in sources)
        {
            Line(text, "named", source.Request);
            foreach (var told in source.Notes.Concat(source.Files))
                Line(text, "told", told);
        }
        foreach (var file in sources.Skip(parts.Count).SelectMany(source => source.Files))
            Line(text, "evaluation set", digests[file]);
        Line(text, "packing", Describe(options.Packing));
        Line(text, "evaluation packing", Describe(options.EvaluationPacking ?? options.Packing));
        for (var i = 0; i < parts.Count; i++)
        {
            Line(text, "source", FormattableString.Invariant($"{parts[i].Request.Split} {parts[i].Weight}"));
            Line(text, "columns", string.Join(',', parts[i].Columns ?? ["*"]));
            Line(text, "csv", sources[i].Options.Csv?.ToString() ?? "");
            foreach (var file in sources[i].Files)
                Line(text, Path.GetExtension(file), digests[file]);
        }
        foreach (var note in notes)
            Line(text, "told", note);
        foreach (var (from, to) in (options.Files.Rename ?? new Dictionary<string, string>())
            .OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Line(text, "rename", $"{from} {to}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..32];
    }

    /// <summary>SHA-256 of each file's bytes; of a stream that is not to be read whole, size and time of writing instead.</summary>
    public static Dictionary<string, string> Digests(IEnumerable<string> files, bool streamed, CancellationToken cancellation)
    {
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!digests.ContainsKey(file))
                digests[file] = DataFile.Guard(file, () => streamed ? Stamp(file) : Digest(file));
        }
        return digests;
    }

    private static string Stamp(string file) =>
        FormattableString.Invariant($"{Path.GetFullPath(file)} {new FileInfo(file).Length} {File.GetLastWriteTimeUtc(file).Ticks}");

    private static string Digest(string file)
    {
        using var stream = OrdinaryFile.Open(file, 1 << 20, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static string Describe(PackingOptions packing) =>
        FormattableString.Invariant($"{packing.Strategy} {packing.MaxLength} {packing.Overlong} {packing.Isolated} {packing.Seed}");

    private static void Line(StringBuilder text, string name, object value) =>
        text.Append(name).Append(": ").AppendLine(value.ToString()!.Replace("\n", "\\n", StringComparison.Ordinal));
}
