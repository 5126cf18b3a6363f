using Handbook.TestSupport;
using Xunit.Abstractions;

namespace Handbook.Foundation.Tests.TestSupport;

public sealed class SkippingTestFrameworkTests
{
    private static readonly string Skip = typeof(SkippedTestException).FullName!;

    [Fact]
    public void ReasonOf_SkippedTest_IsItsMessage() =>
        Assert.Equal("needs a moon (it is day is missing)", Reason(([Skip], [new SkippedTestException("a moon", "it is day").Message])));

    [Fact]
    public void ReasonOf_SkippedFixtureOrTypeInitializer_IsTheInnerMessage() =>
        Assert.Equal("inner", Reason((["System.TypeInitializationException", Skip], ["outer", "inner"])));

    [Fact]
    public void ReasonOf_AnyOtherFailure_IsNone() => Assert.Null(Reason((["System.IO.FileNotFoundException"], ["a.json"])));

    [Fact]
    public void Golden_WhatNobodyHas_IsSkipped() =>
        Assert.Throws<SkippedTestException>(() => SharedFolders.Golden("no such subject", "a.json"));

    [Fact]
    public void GoldenFiles_OfOurOwnVectors_AreThereWithoutAnyFolderBeside()
    {
        foreach (var subject in (string[])["models", "datasets", "jinja", "recipes", "yaml"])
            Assert.True(!SharedFolders.IsDefaultGolden || File.Exists(SharedFolders.Golden(subject, "README.md")));
    }

    private static string? Reason((string[] Types, string[] Messages) failure) =>
        SkippingTestFramework.ReasonOf(new Failure(failure.Types, failure.Messages));

    private sealed record Failure(string[] ExceptionTypes, string[] Messages) : IFailureInformation
    {
        public int[] ExceptionParentIndices { get; } = [-1];

        public string[] StackTraces { get; } = [""];
    }
}
