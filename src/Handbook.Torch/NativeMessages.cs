using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>
/// libtorch writes the reason of a failed call to C++'s <c>std::cerr</c> and returns only a code. This points
/// <c>std::cerr</c> at a string buffer, so that the reason reaches our exception and not the user's terminal.
/// Where the C++ library is another one, libtorch's log level is raised instead and the reason is lost.
/// </summary>
internal static unsafe class NativeMessages
{
    private const int OpenForInputAndOutput = 8 | 16;
    private const int Bytes = 1024;

    private static readonly Lock Gate = new();
    private static nint buffer;
    private static delegate* unmanaged<StdString*, nint, void> read;
    private static delegate* unmanaged<nint, StdString*, void> write;

    /// <summary>libstdc++'s <c>std::string</c>: data, length and 16 bytes of small-string storage.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 32)]
    private struct StdString
    {
        public byte* Data;
        public nuint Length;
    }

    internal static void Capture()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libstdc++.so.6", out var library))
            return;
        const string StringBuffer = "_ZNSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE";
        if (!NativeLibrary.TryGetExport(library, StringBuffer + "C1ESt13_Ios_Openmode", out var construct)
            || !NativeLibrary.TryGetExport(library, "_ZNKSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv", out var get)
            || !NativeLibrary.TryGetExport(library, StringBuffer + "3strERKNS_12basic_stringIcS2_S3_EE", out var set)
            || !NativeLibrary.TryGetExport(library, "_ZSt4cerr", out var cerr)
            || !NativeLibrary.TryGetExport(library, "_ZNSt9basic_iosIcSt11char_traitsIcEE5rdbufEPSt15basic_streambufIcS1_E",
                out var redirect))
            return;
        buffer = (nint)NativeMemory.AllocZeroed(Bytes);
        ((delegate* unmanaged<nint, int, void>)construct)(buffer, OpenForInputAndOutput);
        read = (delegate* unmanaged<StdString*, nint, void>)get;
        write = (delegate* unmanaged<nint, StdString*, void>)set;
        // std::cerr is a basic_ostream whose basic_ios part lies at the offset stored before its virtual table.
        var offset = (*(long**)cerr)[-3];
        ((delegate* unmanaged<nint, nint, nint>)redirect)(cerr + (nint)offset, buffer);
    }

    /// <summary>What libtorch has written since the last call, or an empty text.</summary>
    internal static string Take()
    {
        if (buffer == 0)
            return "";
        lock (Gate)
        {
            StdString text;
            read(&text, buffer);
            var message = Marshal.PtrToStringUTF8((nint)text.Data, (int)text.Length);
            if (text.Data != (byte*)(&text) + 16)
                NativeMemory.Free(text.Data);
            StdString empty;
            empty.Data = (byte*)(&empty) + 16;
            empty.Length = 0;
            *empty.Data = 0;
            write(buffer, &empty);
            return message;
        }
    }

    /// <summary>The first sentence of a native message: without the source position and the C++ stack.</summary>
    internal static string Reason(string message)
    {
        const string Marker = "Exception in aoti_torch: ";
        var start = message.LastIndexOf(Marker, StringComparison.Ordinal);
        var text = start < 0 ? message : message[(start + Marker.Length)..];
        foreach (var end in new[] { "\nException raised from", "\nC++ CapturedTraceback", "\nframe #0" })
        {
            var cut = text.IndexOf(end, StringComparison.Ordinal);
            if (cut >= 0)
                text = text[..cut];
        }
        return text.Trim();
    }
}
