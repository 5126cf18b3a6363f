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

    internal static void Apply()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetOption(MmapThreshold, 64 << 20);
            _ = SetOption(TrimThreshold, 2_000_000_000);
            _ = SetOption(TopPad, 64 << 20);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no mallopt; its allocator is left as it is.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
