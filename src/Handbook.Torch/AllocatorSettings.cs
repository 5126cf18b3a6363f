using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>
/// Keeps glibc from giving large blocks back to the system at each free: otherwise every large temporary faults its pages
/// in again (a bf16 activation over 16M elements ran 3.5 times slower). Blocks from 64 MB on, few and long-lived (the head's
/// weight gradient, an embedding's moments), are mapped on their own and given back whole: in the heap they leave holes, which
/// cost a 135M model with recomputation 0.8 GB of 3.7.
/// </summary>
internal static partial class AllocatorSettings
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MmapThreshold = -3;
    private const long OwnMapping = 64 << 20;
    private const long PageSize = 4096;
    private const int HugePages = 14;

    internal static void Apply()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetOption(MmapThreshold, (int)OwnMapping);
            _ = SetOption(TrimThreshold, 2_000_000_000);
            _ = SetOption(TopPad, 64 << 20);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no mallopt; its allocator is left as it is.
        }
    }

    /// <summary>
    /// Asks for huge pages under a new block that is mapped on its own: it is faulted in anew whenever it is made, and 4 KiB at a
    /// time that took a tenth of a short training step.
    /// </summary>
    internal static unsafe void Prepare(void* block, long bytes)
    {
        if (bytes < OwnMapping || !OperatingSystem.IsLinux())
            return;
        var start = ((long)block + PageSize - 1) / PageSize * PageSize;
        _ = Advise((void*)start, (nuint)(bytes - (start - (long)block)), HugePages);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static unsafe partial int Advise(void* start, nuint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
