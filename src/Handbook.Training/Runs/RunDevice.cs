using System.Collections.Concurrent;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>The device of a run. A machine's devices stay while a process lives, so each wish is looked into once.</summary>
public static class RunDevice
{
    private static readonly ConcurrentDictionary<string, DeviceChoice> Found = new();

    /// <summary>The device that the options come to, and why.</summary>
    /// <exception cref="UserErrorException">It is not to be had.</exception>
    public static DeviceChoice Of(ModelOptions options) => Found.GetOrAdd(options.Device, DeviceChoice.Of);
}
