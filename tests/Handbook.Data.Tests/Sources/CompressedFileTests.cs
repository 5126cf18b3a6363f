using System.Text;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

/// <summary>A compressed file is read whole or refused: half of one never passes for all of it.</summary>
public sealed class CompressedFileTests : IDisposable
{
    private static readonly Dictionary<string, string> Contents = new()
    {
        [".txt"] = "one\ntwo\nthree\n",
        [".csv"] = "text\none\ntwo\nthree\n",
        [".tsv"] = "text\none\ntwo\nthree\n",
        [".jsonl"] = "{\"text\":\"one\"}\n{\"text\":\"two\"}\n{\"text\":\"three\"}\n",
        [".json"] = "[{\"text\":\"one\"},{\"text\":\"two\"},{\"text\":\"three\"}]",
    };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, string> Endings()
    {
        var data = new TheoryData<string, string>();
        foreach (var ending in Contents.Keys)
        {
            data.Add(ending, ".gz");
            data.Add(ending, ".zst");
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public void Read_OfSeveralMembers_GivesAllRows(string ending, string compression)
    {
        var content = Contents[ending];
        var path = Write("t" + ending + compression,
            [.. Compressed(content[..9], compression), .. Compressed("", compression), .. Compressed(content[9..], compression)]);
        Assert.Equal(["one", "two", "three"], Texts(path));
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public void Read_CutAnywhere_NamesTheFile(string ending, string compression)
    {
        var first = Compressed(Contents[ending][..9], compression);
        byte[] whole = [.. first, .. Compressed(Contents[ending][9..], compression)];
        for (var length = 0; length < whole.Length; length++)
        {
            // Between two members nothing tells that there was another one.
            if (length == first.Length)
                continue;
            var path = Write("t" + ending + compression, whole[..length]);
            var message = Assert.Throws<UserErrorException>(() => Texts(path)).Message;
            Assert.StartsWith($"{path}: cannot be read: the compressed data ends early or is damaged", message, StringComparison.Ordinal);
            Assert.Throws<UserErrorException>(() => FileFormats.Open(path, new SourceOptions()).Count());
        }
    }

    [Fact]
    public void Read_GzipWithADamagedByte_IsRefused()
    {
        var bytes = Compressed(string.Concat(Enumerable.Range(0, 500).Select(i => $"{{\"text\":\"row {i * 7919}\"}}\n")), ".gz");
        bytes[bytes.Length / 2] ^= 0x40;
        var path = Write("t.jsonl.gz", bytes);
        // Where the damage still is data, the checksum tells.
        Assert.StartsWith(path,
            Assert.Throws<UserErrorException>(() => FileFormats.Open(path, new SourceOptions()).Read(null).Count()).Message,
            StringComparison.Ordinal);
    }

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(folder.File(name), bytes);
        return folder.File(name);
    }

    private byte[] Compressed(string text, string compression)
    {
        DatasetWriters.WriteCompressed(folder.File("member" + compression), Encoding.UTF8.GetBytes(text));
        return File.ReadAllBytes(folder.File("member" + compression));
    }

    private static List<string> Texts(
        string path) => FileFormats.Open(path, new SourceOptions { TextUnit = TextUnit.Line }).Read(null).Select(row =>
    {
        using var document = row.Parse();
        return document.RootElement.GetProperty("text").GetString()!;
    }).ToList();
}
