namespace Handbook.Foundation.Tests;

/// <summary>What stands in another file's place is named as what it is.</summary>
public sealed class PlaceholderFileTests : IDisposable
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 538090408\n";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("handbook-placeholder-");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("", "is empty (0 bytes)")]
    [InlineData(Pointer, "is a Git LFS pointer, not the file of 538090408 bytes that it stands for; run 'git lfs pull'")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer, not the file that it stands for")]
    [InlineData("<!DOCTYPE html>\n<html>...", "is an HTML page")]
    [InlineData("\uFEFF \r\n<HTML lang=en>", "is an HTML page")]
    [InlineData("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "is an XML text")]
    public void Explain_WhatIsNotTheFile_IsNamed(string content, string expected)
    {
        Assert.StartsWith(expected, PlaceholderFile.Explain(Write(content)), StringComparison.Ordinal);
        Assert.StartsWith(expected, PlaceholderFile.ExplainBinary(Write(content)), StringComparison.Ordinal);
    }

    [Fact]
    public void ExplainBinary_AFewWords_AreQuoted() =>
        Assert.StartsWith("holds only the words \"Entry not found\"", PlaceholderFile.ExplainBinary(Write("Entry not found\n")),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"a\": 1}")]
    [InlineData("Entry not found")]
    [InlineData("version 2 of https://git-lfs.github.com/spec/")]
    public void Explain_AnythingElse_MayBeTheFile(string content) => Assert.Null(PlaceholderFile.Explain(Write(content)));

    [Fact]
    public void ExplainPointer_EmptyDataFile_MayBeEmpty()
    {
        Assert.Null(PlaceholderFile.ExplainPointer(Write("")));
        Assert.NotNull(PlaceholderFile.ExplainPointer(Write(Pointer)));
    }

    private string Write(string content)
    {
        var path = Path.Combine(folder.FullName, "file");
        File.WriteAllText(path, content);
        return path;
    }
}
