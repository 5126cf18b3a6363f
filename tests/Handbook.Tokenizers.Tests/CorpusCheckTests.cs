using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>Two thousand real texts, about a million tokens: every id, as hashes (golden/tokenizers/corpus_check.json).</summary>
[Trait("Category", "Golden")]
public sealed class CorpusCheckTests
{
    private static readonly Lazy<List<string>> Corpus = new(() => BuildCorpus());

    private static JsonElement Golden => JsonDocument.Parse(File.ReadAllBytes(
        SharedFolders.Golden("tokenizers", "corpus_check.json"))).RootElement;

    public static TheoryData<string> Tokenizers => [.. Golden.GetProperty("tokenizers").EnumerateObject().Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Encode_Corpus_GivesReferenceIds(string name)
    {
        var golden = Golden;
        var texts = Corpus.Value;
        // Another golden folder may have another corpus, of which nothing is known here.
        if (!SharedFolders.IsDefaultGolden && golden.GetProperty("corpus_sha256").GetString() != Hash(texts))
            throw new SkippedTestException("the texts that the golden folder's corpus_check.json was made with", "another corpus");
        Assert.Equal((golden.GetProperty("corpus_sha256").GetString(), golden.GetProperty("texts").GetInt32()), (Hash(texts), texts.Count));
        var expected = golden.GetProperty("tokenizers").GetProperty(name);
        var path = GoldenFamilies.TokenizerPath(name);
        Assert.Equal(expected.GetProperty("tokenizer_sha256").GetString(),
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        var blocks = expected.GetProperty("blocks_of_100").EnumerateArray().ToList();
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var encoded = GoldenFamilies.LoadFile(path).EncodeBatch(texts, addSpecialTokens: false);
        for (var block = 0; block < blocks.Count; block++)
        {
            var ids = encoded.Skip(block * 100).Take(100).Select(text => text.Ids).ToList();
            var bytes = ids.SelectMany(Bytes).ToArray();
            whole.AppendData(bytes);
            Assert.Equal(
                (blocks[block][0].GetInt32(), blocks[block][1].GetString()),
                (ids.Sum(list => list.Length), Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]));
        }
        Assert.Equal(expected.GetProperty("sha256").GetString(), Convert.ToHexStringLower(whole.GetHashAndReset()));
    }

    /// <summary>
    /// The corpus: English, answers of a preference set, Dutch, and web documents. Found by matching the file's own hashes, as
    /// the script that made it was not at hand.
    /// </summary>
    private static List<string> BuildCorpus()
    {
        var texts = new List<string>();
        texts.AddRange(Paragraphs("cpt/en/wikitext2_test.txt", 600));
        texts.AddRange(Rows("preference/ultra_like_train.jsonl", 600, row => string.Join('\n', row.GetProperty("chosen").EnumerateArray()
            .Select(message => message.GetProperty("content").GetString()))));
        texts.AddRange(Paragraphs("cpt/nl/ontboezemingen.txt", 180));
        texts.AddRange(Paragraphs("cpt/nl/alpino_cdbl.txt", 320));
        texts.AddRange(Rows("cpt/en/docs.jsonl", 300, row => row.GetProperty("text").GetString()!));
        return texts;
    }

    /// <summary>Lines put together until they have 1500 characters.</summary>
    private static IEnumerable<string> Paragraphs(string file, int count)
    {
        var (lines, length) = (new List<string>(), 0);
        foreach (var line in File.ReadAllText(SharedFolders.Data(file.Split('/'))).Split('\n'))
        {
            lines.Add(line);
            length += line.Length + 1;
            if (length < 1500)
                continue;
            yield return string.Join('\n', lines);
            (lines, length) = ([], 0);
            if (--count == 0)
                yield break;
        }
    }

    private static IEnumerable<string> Rows(string file, int count, Func<JsonElement, string> text) =>
        File.ReadLines(SharedFolders.Data(file.Split('/'))).Take(count).Select(line => text(JsonDocument.Parse(line).RootElement));

    private static string Hash(List<string> texts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts))));

    private static byte[] Bytes(int[] ids)
    {
        var bytes = new byte[(ids.Length + 1) * 4];
        for (var i = 0; i <= ids.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * 4), i < ids.Length ? ids[i] : -1);
        return bytes;
    }
}
