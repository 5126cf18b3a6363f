using System.Text.Json;
using Handbook.TestSupport;
using Handbook.Tokenizers.SentencePiece;

namespace Handbook.Tokenizers.Tests;

/// <summary>Folders without tokenizer.json: SentencePiece models, and vocab.json with merges.txt.</summary>
[Trait("Category", "Golden")]
public sealed class OlderFormatTests
{
    /// <summary>Families whose golden file was converted from their SentencePiece model.</summary>
    public static TheoryData<string> ConvertedFamilies =>
    [
        .. GoldenFamilies.Names.Where(name => GoldenFamilies.TokenizerPath(name).Contains("fixtures", StringComparison.Ordinal)),
    ];

    /// <summary>
    /// Families that have vocab.json and merges.txt beside tokenizer.json, but for those with words of their own, of which the
    /// two files say nothing.
    /// </summary>
    public static TheoryData<string> MergesFamilies => [.. GoldenFamilies.Names.Where(name =>
        File.Exists(Path.Combine(FolderOf(name), "merges.txt"))
            && !File.ReadAllText(GoldenFamilies.TokenizerPath(name)).Contains("\"Digits\"", StringComparison.Ordinal))];

    /// <summary>Families with both tokenizer.json and tokenizer.model.</summary>
    public static TheoryData<string> TwoFormFamilies =>
    [
        .. GoldenFamilies.Names.Where(name => File.Exists(Path.Combine(FolderOf(name), "tokenizer.model"))
            && File.Exists(Path.Combine(FolderOf(name), "tokenizer.json"))),
    ];

    [Theory]
    [MemberData(nameof(ConvertedFamilies))]
    public void Load_SentencePieceModelAlone_GivesReferenceIds(string family)
    {
        using var folder = new TemporaryFolder();
        folder.Copy(SharedFolders.Data("tokenizers", family, "tokenizer.model"));
        CheckIds(Tokenizer.Load(folder.Path), family, _ => true);
    }

    /// <summary>No configuration beside the model: the names that transformers' Llama tokenizer gives its special tokens.</summary>
    [Theory]
    [MemberData(nameof(ConvertedFamilies))]
    public void Load_SentencePieceModelAlone_KnowsItsSpecialTokens(string family)
    {
        using var folder = new TemporaryFolder();
        folder.Copy(SharedFolders.Data("tokenizers", family, "tokenizer.model"));
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(("<s>", "</s>", "<unk>"), (tokenizer.Settings.BosToken, tokenizer.Settings.EosToken, tokenizer.Settings.UnkToken));
    }

    [Theory]
    [MemberData(nameof(ConvertedFamilies))]
    public void Merges_OfSentencePieceModel_AreThoseOfConvertedFile(string family) =>
        Assert.Equal(MergesOf(GoldenFamilies.TokenizerPath(family)), Generated(family));

    [Theory]
    [MemberData(nameof(TwoFormFamilies))]
    public void Merges_OfSentencePieceModel_AreThoseOfPublishedFileUpToEqualScores(string family)
    {
        // Published files differ at most in the order of merges with equal scores: the runs of white space.
        var (published, generated) = (MergesOf(GoldenFamilies.TokenizerPath(family)), Generated(family));
        Assert.Equal(published.Order(StringComparer.Ordinal), generated.Order(StringComparer.Ordinal));
        var different = published.Zip(generated).Where(pair => pair.First != pair.Second).ToList();
        Assert.All(different, pair => Assert.Equal("", pair.First.Replace("\u2581", "", StringComparison.Ordinal).Trim()));
    }

    [Theory]
    [MemberData(nameof(MergesFamilies))]
    public void Load_VocabularyAndMergesAlone_GivesReferenceIds(string family)
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["vocab.json", "merges.txt", "tokenizer_config.json"])
            folder.Copy(Path.Combine(FolderOf(family), name));
        CheckIds(Tokenizer.Load(folder.Path), family, text => !text.Contains("<|", StringComparison.Ordinal));
        CheckIds(Tokenizer.Load(FolderOf(family)), family, _ => true);
    }

    private static string FolderOf(string family) => Path.Combine(SharedFolders.Data("tokenizers"), family);

    private static List<string> Generated(string family) =>
        SentencePieceConversion.Merges(
                SentencePieceModel.Parse(File.ReadAllBytes(Path.Combine(FolderOf(family), "tokenizer.model"))).Pieces)
            .ConvertAll(merge => $"{merge.Left} {merge.Right}");

    private static List<string> MergesOf(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray()
            .Select(merge => merge.ValueKind == JsonValueKind.String
                ? merge.GetString()! : $"{merge[0].GetString()} {merge[1].GetString()}").ToList();
    }

    private static void CheckIds(Tokenizer tokenizer, string family, Func<string, bool> applies)
    {
        foreach (var golden in GoldenFamilies.Cases(family).Where(golden => applies(golden.GetProperty("text").GetString()!)))
        {
            var expected = golden.GetProperty("ids").Deserialize<int[]>();
            Assert.Equal(expected, tokenizer.Encode(golden.GetProperty("text").GetString()!, addSpecialTokens: false).Ids);
        }
    }
}
