using System.Diagnostics;
using System.Globalization;
using System.Text;
using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

/// <summary>
/// Mutated files of every format, and cards: readers throw nothing but <see cref="UserErrorException"/>, rows nothing but
/// <see cref="BadRowException"/>. Seeded; a few hundred mutants each here, and for as long as <c>HANDBOOK_FUZZ_SECONDS</c> says when it
/// is set (seconds of processor time for each format).
/// </summary>
public sealed class ReaderFuzzTests : IDisposable
{
    private const int MostRows = 20_000;

    private static readonly byte[][] Pieces = [.. new[]
    {
        "{", "}", "[", "]", "\"", ",", ":", "\\", "\n", "\r\n", "\r", "\n\n", "\t", ";", "'", "null", "true", "NaN", "-Infinity", "Inf",
        "1e999", "-0", "123456789012345678901234567890",
        "\\ud83d", "\\ude00", "\\u0000", "\uFEFF", "\u00e9\U0001F600", "\"messages\":", "\"role\":\"user\"", "\"content\":null",
        "\"text\":", "[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]",
        "\"tools\":\"[{}]\"", "\"label\":2,", "\"chosen\":\"\",", "\"\"", ",,,", "\0",
        "- ", "  ", "---\n", "&a ", "*a", "<<: *a\n", "? ", "!!binary ", "|\n", ">-\n", "# ", "{a: ", "[a, ", "config_name: ",
        "data_files: ", "data_dir: ..\n", "path: '[!'\n", "'{a,**/[z-a]'",
        "default: yes\n", "sep: ", "header: 0\n", "names: [a]\n", "%YAML 1.1\n", "...\n", "\u2028", "\u0085",
    }.Select(Encoding.UTF8.GetBytes)];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("t.jsonl")]
    [InlineData("t.json")]
    [InlineData("t.csv")]
    [InlineData("t.tsv")]
    [InlineData("t.txt")]
    [InlineData("t.parquet")]
    [InlineData("t.arrow")]
    [InlineData("t.jsonl.gz")]
    [InlineData("t.csv.zst")]
    public void Read_MutatedFile_ThrowsOnlyTheDocumentedExceptions(string name)
    {
        var isText = !name.EndsWith(".parquet", StringComparison.Ordinal) && !name.EndsWith(".arrow", StringComparison.Ordinal);
        Campaign(name, Seeds(name), isText, mutant =>
        {
            if (name.EndsWith(".gz", StringComparison.Ordinal) || name.EndsWith(".zst", StringComparison.Ordinal))
                DatasetWriters.WriteCompressed(folder.File(name), mutant);
            else
                File.WriteAllBytes(folder.File(name), mutant);
            ReadAll(name);
        });
    }

    [Theory]
    [InlineData("t.jsonl.gz")]
    [InlineData("t.txt.zst")]
    public void Read_MutatedCompressedBytes_ThrowsOnlyTheDocumentedExceptions(string name)
    {
        DatasetWriters.WriteCompressed(folder.File("seed" + name), Seeds("t.jsonl")[0]);
        Campaign(name, [File.ReadAllBytes(folder.File("seed" + name))], isText: false, mutant =>
        {
            File.WriteAllBytes(folder.File(name), mutant);
            ReadAll(name);
        });
    }

    [Fact]
    public void Open_MutatedCard_ThrowsOnlyTheDocumentedException()
    {
        string[] cards =
        [
            "---\nlicense: mit\nconfigs:\n- config_name: main\n  default: True\n  data_dir: sub\n  data_files:\n  - split: train\n    "
                + "path: \"a*.jsonl\"\n  - split: test\n    path: [b.jsonl, '**/[c-d]?.{jsonl,csv}']\n- config_name: rest\n  sep: \";\"\n "
                + " data_files: other/**\n---\n# A dataset\n",
            "---\nconfigs: [{config_name: default, data_files: [a.jsonl, 'sub/*'], names: [x, y], header: null}]\ndataset_info: &a "
                + "{features: [{name: x, dtype: string}], splits: *b}\n---\n",
        ];
        foreach (var file in new[] { "a.jsonl", "b.jsonl", "sub/a1.jsonl", "sub/b.jsonl", "other/train-1.csv", "other/test.csv" })
            folder.Write("set/" + file, "");
        Campaign("README.md", [.. cards.Select(Encoding.UTF8.GetBytes)], isText: true, mutant =>
        {
            File.WriteAllBytes(folder.File("set/README.md"), mutant);
            foreach (var config in new[] { null, "main", "rest", "default" })
            {
                try
                {
                    var found = DatasetFolder.Open(folder.File("set"), config);
                    foreach (var split in found.Splits)
                        Assert.All(found.Files(split),
                            file => Assert.StartsWith(folder.File("set"), Path.GetFullPath(file), StringComparison.Ordinal));
                }
                catch (UserErrorException)
                {
                }
            }
        });
    }

    private void ReadAll(string name)
    {
        var source = RowSource.Open(new DatasetRequest(name), [new LocalDatasetResolver(folder.Path)],
            new SourceOptions { TextUnit = (TextUnit)(name.Length % 3), MaxRowBytes = 1 << 20 });
        try
        {
            source.Count();
        }
        catch (UserErrorException)
        {
        }
        try
        {
            var reader = ExampleReader.Recognize(source, skipBadRows: true);
            foreach (var row in source.Read().Take(MostRows))
            {
                try
                {
                    BadRowException.Guard(row.Place, () => reader.Read(row));
                }
                catch (BadRowException bad)
                {
                    Assert.StartsWith($"{row.Place}", bad.Message, StringComparison.Ordinal);
                }
            }
        }
        catch (UserErrorException)
        {
        }
    }

    private static void Campaign(string name, List<byte[]> seeds, bool isText, Action<byte[]> read)
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("HANDBOOK_FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);
        var random = new System.Random(20261127 + seconds + name.Length);
        var start = Spent();
        for (var i = 0; i < 300 || Spent() - start < seconds; i++)
        {
            var mutant = Mutate(random, seeds, isText);
            if (seconds > 0)
                File.WriteAllBytes(Path.Combine(Path.GetTempPath(), "handbook-fuzz-" + name), mutant);
            try
            {
                read(mutant);
            }
            catch (Exception error) when (error is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{error.GetType().Name} for mutant {i} of {name}: {Convert.ToBase64String(mutant)}\n{error}");
            }
        }
    }

    private static double Spent() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;

    private List<byte[]> Seeds(string name)
    {
        var conversations = DatasetWriters.Conversations(8);
        var format = Path.GetExtension(name.Replace(".gz", "", StringComparison.Ordinal).Replace(".zst", "", StringComparison.Ordinal));
        var other = Encoding.UTF8.GetBytes(format switch
        {
            ".jsonl" => "{\"prompt\":\"p\",\"completion\":[{\"role\":\"assistant\",\"content\":\"c\"}],\"label\":true,\"score\":NaN}\n"
                + "{\"input_ids\":[1,2,3],\"labels\":[-100,2,3]}\n",
            ".json" => "[\"one\", \"two\\ud83d\\ude00\",\n \"three\"]",
            ".csv" or ".tsv" => "a,b\tc,a,\n1,\"two \"\"x\"\"\n\",3,4,5\n",
            _ => "one\n\ntwo\r\n\u00e9\n",
        });
        if (format is ".txt" or ".tsv")
            return [other];
        DatasetWriters.Write(folder.File("seed" + format), conversations);
        var seed = File.ReadAllBytes(folder.File("seed" + format));
        return format switch
        {
            ".arrow" => [seed],
            ".parquet" => [seed, .. ParquetSeeds()],
            _ => [seed, other],
        };
    }

    private static IEnumerable<byte[]> ParquetSeeds()
    {
        yield return new ParquetBuilder().Field("text", 6, 1, converted: 0)
            .Column(6, 3, 0, ParquetBuilder.Texts("x", "y"), definitions: ParquetBuilder.Levels(1, 0, 1), second: true).Build(1, 3);
        yield return new ParquetBuilder().Field("a", null, 0, 1, converted: 3).Field("a_tuple", null, 2, 1).Field("k", 6, 0, converted: 0)
            .Column(6, 3, 0, ParquetBuilder.Texts("x", "y"), ParquetBuilder.Levels(0, 1, 0), ParquetBuilder.Levels(1, 1, 0)).Build(1, 2);
        byte[] lengths = [0x80, 0x01, 0x04, 0x04, 0x0A, 0x00, 0x01, 0x00, 0x00, 0x00, 2, 0, 0, 0];
        yield return new ParquetBuilder().Field("text", 6, 0, converted: 0).Column(6, 4, 6, [.. lengths, .. "HelloWorldFoobarABCDEF"u8])
            .Build(1, 4);
    }

    private static byte[] Mutate(System.Random random, List<byte[]> seeds, bool isText)
    {
        var bytes = new List<byte>(seeds[random.Next(seeds.Count)]);
        for (var count = random.Next(1, isText ? 6 : 4); count > 0; count--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(random.Next(1, 12), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, isText ? Pieces[random.Next(Pieces.Length)] : [(byte)random.Next(256)]);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 3 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 4 when at < bytes.Count:
                    bytes[at] = new byte[] { 0, 1, 0x7F, 0x80, 0xFF }[random.Next(5)];
                    break;
                default:
                    var other = seeds[random.Next(seeds.Count)];
                    var from = random.Next(other.Length);
                    bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(1, 60))]);
                    break;
            }
        }
        return [.. bytes.Take(100_000)];
    }
}
