using System.Reflection;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Handbook.TestSupport;

/// <summary>
/// xunit's own framework, but a test that ends with a <see cref="SkippedTestException"/> is reported as skipped: xunit 2 can only
/// skip what it knows before it runs. Directory.Build.props names it for every test project.
/// </summary>
public sealed class SkippingTestFramework(IMessageSink diagnostics) : XunitTestFramework(diagnostics)
{
    private static readonly Lock Listing = new();

    protected override ITestFrameworkExecutor CreateExecutor(AssemblyName assemblyName) =>
        new Executor(assemblyName, SourceInformationProvider, DiagnosticMessageSink);

    /// <summary>The reason of a failure that is none: the exception may stand behind those of fixtures and type initializers.</summary>
    public static string? ReasonOf(IFailureInformation failure)
    {
        var index = Array.IndexOf(failure.ExceptionTypes, typeof(SkippedTestException).FullName);
        return index < 0 ? SharedFolders.ReasonOfNoCase(failure.Messages[0]) : failure.Messages[index];
    }

    private sealed class Executor(
        AssemblyName name, ISourceInformationProvider sources,
        IMessageSink diagnostics) : XunitTestFrameworkExecutor(name, sources, diagnostics)
    {
        protected override void RunTestCases(
            IEnumerable<IXunitTestCase> testCases, IMessageSink executionMessageSink, ITestFrameworkExecutionOptions executionOptions) =>
            base.RunTestCases(testCases, new Sink(executionMessageSink), executionOptions);
    }

    private sealed class Sink(IMessageSink inner) : LongLivedMarshalByRefObject, IMessageSink
    {
        // run.sh says from it what skipped tests need, and .ci/run what to run again.
        private readonly string? list = Environment.GetEnvironmentVariable("HANDBOOK_TEST_SKIPS");

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is not ITestFailed failed || ReasonOf(failed) is not { } reason)
                return inner.OnMessage(message);
            if (list is { Length: > 0 })
            {
                lock (Listing)
                    File.AppendAllText(list, $"{failed.TestClass.Class.Name}\t{reason}\n");
            }
            return inner.OnMessage(new TestSkipped(failed.Test, reason));
        }
    }
}
