using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>
/// The functions of PyTorch's stable C ABI (torch/csrc/stable/c/shim.h and torch/csrc/inductor/aoti_torch/c/shim.h) as
/// function pointers, resolved once from the one library that was loaded.
/// </summary>
internal static unsafe class Native
{
    internal static readonly nint Library = LibtorchLibrary.LoadOnce();

    internal static readonly delegate* unmanaged<byte*, byte*, ulong*, ulong, int> CallDispatcher =
        (delegate* unmanaged<byte*, byte*, ulong*, ulong, int>)Export("torch_call_dispatcher");
    internal static readonly delegate* unmanaged<nint, nint*, int> NewTensorHandle =
        (delegate* unmanaged<nint, nint*, int>)Export("aoti_torch_new_tensor_handle");
    internal static readonly delegate* unmanaged<nint, int> DeleteTensor =
        (delegate* unmanaged<nint, int>)Export("aoti_torch_delete_tensor_object");
    internal static readonly delegate* unmanaged<long, long*, long*, int, int, int, nint*, int> EmptyStrided =
        (delegate* unmanaged<long, long*, long*, int, int, int, nint*, int>)Export("aoti_torch_empty_strided");
    internal static readonly delegate* unmanaged<void*, long, long*, long*, long, int, int, int, nint*, int, byte*, long, int> FromBlob =
        (delegate* unmanaged<void*, long, long*, long*, long, int, int, int, nint*, int, byte*, long, int>)
        Export("aoti_torch_create_tensor_from_blob_v2");
    internal static readonly delegate* unmanaged<nint, void**, int> GetDataPointer =
        (delegate* unmanaged<nint, void**, int>)Export("aoti_torch_get_data_ptr");
    internal static readonly delegate* unmanaged<nint, long*, int> GetDim =
        (delegate* unmanaged<nint, long*, int>)Export("aoti_torch_get_dim");
    internal static readonly delegate* unmanaged<nint, long**, int> GetSizes =
        (delegate* unmanaged<nint, long**, int>)Export("aoti_torch_get_sizes");
    internal static readonly delegate* unmanaged<nint, long**, int> GetStrides =
        (delegate* unmanaged<nint, long**, int>)Export("aoti_torch_get_strides");
    internal static readonly delegate* unmanaged<nint, long*, int> GetStorageOffset =
        (delegate* unmanaged<nint, long*, int>)Export("aoti_torch_get_storage_offset");
    internal static readonly delegate* unmanaged<nint, long*, int> GetStorageSize =
        (delegate* unmanaged<nint, long*, int>)Export("aoti_torch_get_storage_size");
    internal static readonly delegate* unmanaged<nint, int*, int> GetDType =
        (delegate* unmanaged<nint, int*, int>)Export("aoti_torch_get_dtype");
    internal static readonly delegate* unmanaged<nint, int*, int> GetDeviceType =
        (delegate* unmanaged<nint, int*, int>)Export("aoti_torch_get_device_type");
    internal static readonly delegate* unmanaged<nint, int*, int> GetDeviceIndex =
        (delegate* unmanaged<nint, int*, int>)Export("aoti_torch_get_device_index");
    internal static readonly delegate* unmanaged<nuint, nint*, int> NewList =
        (delegate* unmanaged<nuint, nint*, int>)Export("torch_new_list_reserve_size");
    internal static readonly delegate* unmanaged<nint, ulong, int> ListPush =
        (delegate* unmanaged<nint, ulong, int>)Export("torch_list_push_back");
    internal static readonly delegate* unmanaged<nint, nuint, ulong*, int> ListItem =
        (delegate* unmanaged<nint, nuint, ulong*, int>)Export("torch_list_get_item");
    internal static readonly delegate* unmanaged<nint, nuint*, int> ListSize =
        (delegate* unmanaged<nint, nuint*, int>)Export("torch_list_size");
    internal static readonly delegate* unmanaged<nint, int> DeleteList =
        (delegate* unmanaged<nint, int>)Export("torch_delete_list");
    internal static readonly delegate* unmanaged<byte*, nuint, nint*, int> NewString =
        (delegate* unmanaged<byte*, nuint, nint*, int>)Export("torch_new_string_handle");
    internal static readonly delegate* unmanaged<long, long, long, delegate* unmanaged<long, long, void*, void>, void*, int> ParallelFor =
        (delegate* unmanaged<long, long, long, delegate* unmanaged<long, long, void*, void>, void*, int>)Export("torch_parallel_for");
    internal static readonly delegate* unmanaged<uint*, int> GetThreadCount =
        (delegate* unmanaged<uint*, int>)Export("torch_get_num_threads");
    internal static readonly delegate* unmanaged<nint, byte, int> SetRequiresGrad =
        (delegate* unmanaged<nint, byte, int>)Export("torch_set_requires_grad");
    internal static readonly delegate* unmanaged<nint, double, int> FillScalar =
        (delegate* unmanaged<nint, double, int>)Export("aoti_torch_aten_fill__Scalar");
    internal static readonly delegate* unmanaged<nint, nint, double, nint*, int> SubtractTensor =
        (delegate* unmanaged<nint, nint, double, nint*, int>)Export("aoti_torch_aten_subtract_Tensor");
    internal static readonly delegate* unmanaged<int, void> SetGradMode =
        (delegate* unmanaged<int, void>)Export("aoti_torch_grad_mode_set_enabled");

    /// <summary><c>at::set_num_threads</c>: outside the stable ABI, so it may be missing.</summary>
    internal static readonly delegate* unmanaged<int, void> SetThreadCount =
        (delegate* unmanaged<int, void>)OptionalExport("_ZN2at15set_num_threadsEi");

    internal static nint OptionalExport(string name) =>
        NativeLibrary.TryGetExport(Library, name, out var address) ? address : 0;

    private static nint Export(string name) =>
        NativeLibrary.TryGetExport(Library, name, out var address)
            ? address
            : throw LibtorchLibrary.Unusable($"{LibtorchLibrary.Folder}: this libtorch has no {name}; a PyTorch from 2.10 on is needed.");
}
