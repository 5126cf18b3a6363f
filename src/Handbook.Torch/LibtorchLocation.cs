using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>
/// Which copy of libtorch to load: the folder in <c>HANDBOOK_LIBTORCH</c> (a wheel's <c>torch/lib</c>, any PyTorch from 2.10),
/// else a <c>libtorch</c> folder beside the program, else the package <c>libtorch-cpu-*</c> in NuGet's package folder.
/// </summary>
public static class LibtorchLocation
{
    /// <summary>The environment variable that names another libtorch.</summary>
    public const string Variable = "HANDBOOK_LIBTORCH";

    /// <summary>Version of the package that a plain build restores.</summary>
    public const string PackageVersion = "2.10.0";

    /// <summary>File name of the library on this system.</summary>
    public static string FileName =>
        OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so";

    /// <summary>The folder of libtorch_cpu and where it was named.</summary>
    /// <exception cref="UserErrorException">The variable names a folder without it.</exception>
    /// <exception cref="MachineException">None is found.</exception>
    public static (string Folder, string Origin) Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            if (File.Exists(Path.Combine(named, FileName)))
                return (Path.GetFullPath(named), Variable);
            var nested = Path.Combine(named, "lib");
            if (File.Exists(Path.Combine(nested, FileName)))
                return (Path.GetFullPath(nested), Variable);
            throw new UserErrorException(
                $"{Variable}={named}: no {FileName} there. Name the folder that holds it, such as the torch/lib folder of a PyTorch from "
                    + "2.10 on.");
        }
        var beside = Path.Combine(AppContext.BaseDirectory, "libtorch");
        if (File.Exists(Path.Combine(beside, FileName)))
            return (beside, "beside the program");
        var package = PackageFolder();
        if (File.Exists(Path.Combine(package, FileName)))
            return (package, "NuGet package");
        throw new MachineException(
            $"libtorch was not found: looked in {beside} and {package}. {Advice(package)}, or set {Variable} to the torch/lib folder of a "
                + "PyTorch from 2.10 on.");
    }

    /// <summary>What helps: a package that is there and may not be read is not to be restored.</summary>
    private static string Advice(string package)
    {
        for (var folder = package; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!Directory.Exists(folder))
                continue;
            try
            {
                _ = Directory.EnumerateFileSystemEntries(folder).Any();
            }
            catch (UnauthorizedAccessException)
            {
                return $"The folder {folder} may not be read by this user: let it be read";
            }
            break;
        }
        return "'dotnet restore' in the program's folder gets the package";
    }

    private static string PackageFolder()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        var platform = $"{system}-{architecture}";
        return Path.Combine(packages, $"libtorch-cpu-{platform}", PackageVersion, "runtimes", platform, "native");
    }
}
