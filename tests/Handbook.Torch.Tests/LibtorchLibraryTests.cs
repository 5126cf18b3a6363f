namespace Handbook.Torch.Tests;

/// <summary>Which libtorch is loaded, and one clear line when the named one is not usable.</summary>
public sealed class LibtorchLibraryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-libtorch-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Version_OfTheLoadedLibrary_IsNewEnough() => Assert.True(LibtorchLibrary.Version >= new Version(2, 10));

    [Fact]
    public void Load_FromAnEmptyFolder_SaysWhatIsMissingAndWhatToName()
    {
        var (code, output, errors) = ChildProcess.Start(ChildProcess.Load, folder);
        Assert.Equal(
            $"UserErrorException: HANDBOOK_LIBTORCH={folder}: no {LibtorchLocation.FileName} there. "
            + "Name the folder that holds it, such as the torch/lib folder of a PyTorch from 2.10 on.",
            output);
        Assert.Equal(2, code);
        Assert.Equal("", errors);
    }

    [Fact]
    public void Load_OfAFileThatIsNoLibrary_SaysWhichAndWhy()
    {
        var file = Path.Combine(folder, LibtorchLocation.FileName);
        File.WriteAllText(file, "not a library");
        var (code, output, errors) = ChildProcess.Start(ChildProcess.Load, folder);
        Assert.StartsWith($"UserErrorException: {file} cannot be loaded: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", output, StringComparison.Ordinal);
        Assert.Equal(2, code);
        Assert.Equal("", errors);
    }

    [Fact]
    public void Load_OfTheFolderInUse_Works()
    {
        var (code, output, _) = ChildProcess.Start(ChildProcess.Load, LibtorchLibrary.Folder);
        Assert.Equal(LibtorchLibrary.Version.ToString(), output);
        Assert.Equal(0, code);
    }
}
