using System.Diagnostics;
using Handbook.TestSupport;

namespace Handbook.Cli.Tests;

/// <summary>
/// The script <c>./handbook</c> in a clone of its own, with an SDK that is a script too: nothing is built and nothing comes from
/// the network.
/// </summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class WrapperTests : IDisposable
{
    private const string FakeSdk = """
        #!/bin/bash
        case $1 in
            --list-sdks) echo "10.0.100 [there]" ;;
            --list-runtimes) echo "Microsoft.NETCore.App 10.0.0 [$CLONE/shared/Microsoft.NETCore.App]" ;;
            build)
                out=artifacts/bin/Handbook.Cli/release
                mkdir -p "$CLONE/$out"
                printf '#!/bin/bash\necho "ran $* HOME=$HOME runtime=$DOTNET_ROOT mask=$(umask)"\n' >"$CLONE/$out/handbook"
                chmod 755 "$CLONE/$out/handbook" ;;
            *) exit 3 ;;
        esac
        """;

    private static readonly string[] Tools =
    [
        "bash", "cat", "chmod", "cp", "cut", "date", "find", "flock", "grep", "head", "id", "ln", "mkdir", "mv", "paste", "readlink", "rm",
        "sed", "sort", "tail", "touch",
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("handbook-wrapper-").FullName;

    public WrapperTests()
    {
        // The places of the machine's own SDK are taken out, or these tests would find it.
        var script = File.ReadAllText(Path.Combine(SharedFolders.Root, "handbook"));
        const string Places = " /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet";
        Assert.Contains(Places, script, StringComparison.Ordinal);
        Script("clone/handbook", script.Replace(Places, "", StringComparison.Ordinal));
        foreach (var name in (string[])["src/a.cs", "Directory.Build.props", "Directory.Build.targets", "global.json"])
            Write("clone/" + name, "");
        Directory.CreateDirectory(At("home"));
        Directory.CreateDirectory(At("bin"));
        foreach (var tool in Tools)
            File.CreateSymbolicLink(At("bin/" + tool), File.Exists("/usr/bin/" + tool) ? "/usr/bin/" + tool : "/bin/" + tool);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_WithoutSdk_GetsItSaysSoOnceAndRuns()
    {
        Downloads();
        var first = Run([]);
        Assert.Equal(0, first.Code);
        Assert.StartsWith("ran doctor", first.Output, StringComparison.Ordinal);
        Assert.Contains($"runtime={At("clone/artifacts/dotnet")} ", first.Output, StringComparison.Ordinal);
        Assert.Equal(
            [
                "handbook: no .NET 10 SDK here, getting it into artifacts/dotnet from https://dot.net/v1/dotnet-install.sh (once; "
                    + "HANDBOOK_FETCH_SDK=0 forbids it)",
                "handbook: building (once, and again when sources change)",
            ],
            first.Errors);
        Assert.Empty(Directory.GetFileSystemEntries(At("clone/artifacts"), ".dotnet-*"));
        var second = Run([]);
        Assert.Equal((0, first.Output), (second.Code, second.Output));
        Assert.Empty(second.Errors);
    }

    [Fact]
    public void Test_WithoutSdk_GetsItToo()
    {
        Downloads();
        Write("clone/tests/run.sh", "echo \"tests of $2 with $1, path $(command -v dotnet)\"\n");
        var run = Run([], command: "test all");
        var sdk = At("clone/artifacts/dotnet/dotnet");
        Assert.Equal((0, $"tests of all with {sdk}, path {sdk}\n"), (run.Code, run.Output));
        Assert.Contains("getting it into artifacts/dotnet", Assert.Single(run.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ToldNotToFetch_SaysWhatIsMissingAndTouchesNoNetwork()
    {
        Downloads();
        var told = Run([("HANDBOOK_FETCH_SDK", "0")]);
        Assert.Equal(1, told.Code);
        Assert.StartsWith("handbook: needs the .NET 10 SDK, found: none. Get it (apt install dotnet-sdk-10.0",
            Assert.Single(told.Errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("clone/artifacts/dotnet")));
        Assert.False(File.Exists(At("asked")));
    }

    [Fact]
    public void Run_DownloadFails_SaysWhyAndLeavesNothingHalf()
    {
        Script("bin/curl", "#!/bin/bash\necho 'curl: (6) Could not resolve host' >&2\nexit 6\n");
        Script("bin/apt-cache", "#!/bin/bash\nexit 100\n");
        var failed = Run([]);
        Assert.Equal(1, failed.Code);
        Assert.StartsWith("handbook: could not get the .NET 10 SDK: curl: (6) Could not resolve host.",
            failed.Errors[^1], StringComparison.Ordinal);
        Assert.Equal(["handbook"], Directory.GetFileSystemEntries(At("clone/artifacts")).Select(Path.GetFileName));
    }

    [Fact]
    public void Run_OlderSdkOnly_IsNamed()
    {
        Script("bin/dotnet", "#!/bin/bash\n[ \"$1\" = --list-sdks ] && echo '8.0.404 [there]'\n");
        Assert.Contains("found: 8.0.404.", Run([("HANDBOOK_FETCH_SDK", "0")]).Errors[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/nonexistent")]
    public void Run_WithoutAHome_HasOne(string? home)
    {
        Script("bin/dotnet", FakeSdk);
        var run = Run([("HOME", home)]);
        Assert.True(run.Code == 0, string.Join('\n', run.Errors));
        Assert.Matches("HOME=/[^ ]* ", run.Output);
        Assert.DoesNotContain("HOME=/nonexistent", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0000", UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    [InlineData("0022", UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    [InlineData("0077", UnixFileMode.None)]
    public void Build_AnyUmask_IsReadableAsItSaysAndWritableByNobodyElse(string umask, UnixFileMode readable)
    {
        Script("bin/dotnet", FakeSdk);
        var run = Run([], umask);
        Assert.Equal(0, run.Code);
        Assert.Contains($"mask={umask}", run.Output, StringComparison.Ordinal);
        const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        foreach (var entry in Directory.GetFileSystemEntries(At("clone/artifacts"), "*", SearchOption.AllDirectories)
            .Prepend(At("clone/artifacts")))
        {
            if (new FileInfo(entry).LinkTarget is null)
                Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(entry) & OthersWrite);
        }
        var build = Directory.GetDirectories(At("clone/artifacts/handbook"), "build-*").Single();
        Assert.Equal(readable, File.GetUnixFileMode(build) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead));
    }

    [Fact]
    public void Run_ArtifactsThatAllMayWrite_IsRefused()
    {
        Script("bin/dotnet", FakeSdk);
        Assert.Equal(0, Run([]).Code);
        File.SetUnixFileMode(At("clone/artifacts/handbook"), (UnixFileMode)0b111_111_111);
        var refused = Run([]);
        Assert.Equal((1, ""), (refused.Code, refused.Output));
        Assert.StartsWith("handbook: every user of this machine may write to ", Assert.Single(refused.Errors), StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(folder, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }

    private void Script(string name, string text)
    {
        Write(name, text.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(At(name), (UnixFileMode)0b111_101_101);
    }

    /// <summary>A curl that brings an installer, which puts the fake SDK where it is told.</summary>
    private void Downloads()
    {
        Write("sdk", FakeSdk.ReplaceLineEndings("\n"));
        Script("bin/curl", $$"""
            #!/bin/bash
            echo "$*" >>'{{At("asked")}}'
            [ "$2" = https://dot.net/v1/dotnet-install.sh ] || exit 22
            printf 'mkdir -p "$4/host/fxr" && cp "%s" "$4/dotnet" && chmod 755 "$4/dotnet"\n' '{{At("sdk")}}' >"$4"
            """);
    }

    private (int Code, string Output, string[] Errors) Run(
        IEnumerable<(string Name, string? Value)> environment, string umask = "0022", string command = "doctor")
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", $"umask {umask}; exec '{At("clone/handbook")}' {command}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        };
        start.Environment.Clear();
        foreach (var (name, value) in environment.Prepend(("HOME", At("home"))).Append(("PATH", At("bin"))).Append(("CLONE", At("clone"))))
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
