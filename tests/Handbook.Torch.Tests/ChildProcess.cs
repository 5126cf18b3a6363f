using System.Diagnostics;

namespace Handbook.Torch.Tests;

/// <summary>This assembly as a process of its own: what it prints, and a libtorch of its own choice.</summary>
internal static class ChildProcess
{
    internal const string FailedOperator = "failed-operator";
    internal const string Load = "load";

    /// <summary>Starts the child; <paramref name="libtorch"/> goes into HANDBOOK_LIBTORCH.</summary>
    internal static (int Code, string Output, string Errors) Start(string what, string? libtorch = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        start.ArgumentList.Add(what);
        if (libtorch is not null)
            start.Environment[LibtorchLocation.Variable] = libtorch;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.Trim(), errors.Result.Trim());
    }

    /// <summary>What the child does.</summary>
    internal static int Run(string what)
    {
        try
        {
            if (what == FailedOperator)
                Operator.Call("aten::mm"u8, default, Tensor.Zeros([2, 3], DType.Float32), Tensor.Zeros([4, 5], DType.Float32));
            Console.WriteLine(LibtorchLibrary.Version);
            return 0;
        }
        catch (Exception error) when (error is LibtorchException or UserErrorException)
        {
            Console.WriteLine($"{error.GetType().Name}: {error.Message}");
            return 2;
        }
        catch (TypeInitializationException error) when (error.InnerException is UserErrorException inner)
        {
            Console.WriteLine($"{inner.GetType().Name}: {inner.Message}");
            return 2;
        }
    }
}
