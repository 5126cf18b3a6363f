using System.Runtime.InteropServices;
using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>
/// libtorch's own differentiation as an oracle: the stable ABI has no gradients, so a leaf's is read through
/// <c>c10::TensorImpl::mutable_grad</c>, a C++ symbol of libc10.
/// </summary>
internal static unsafe class LibtorchAutograd
{
    private static readonly delegate* unmanaged<nint, nint> MutableGrad = Resolve();

    /// <summary>Gradients of sum_i sum(outputs_i * weights_i) with respect to copies of the inputs.</summary>
    internal static Tensor?[] Gradients(Func<Tensor[], Tensor[]> function, Tensor[] inputs, Tensor[] weights)
    {
        using var scope = new TensorScope();
        var leaves = Array.ConvertAll(inputs, input => input.Clone());
        foreach (var leaf in leaves)
        {
            if (leaf.DType.IsFloatingPoint())
                Operator.Check(Native.SetRequiresGrad(leaf.Handle, 1), "torch_set_requires_grad");
        }
        var outputs = function(leaves);
        var loss = outputs[0].Multiply(weights[0]).Sum();
        for (var i = 1; i < outputs.Length; i++)
            loss = loss.Add(outputs[i].Multiply(weights[i]).Sum());
        Operator.Run("aten::_backward"u8, default, loss, Array.Empty<Tensor>(), Value.None, Value.None, false);
        return Array.ConvertAll(leaves, leaf => Gradient(leaf) is { } gradient ? scope.Keep(gradient) : null);
    }

    private static Tensor? Gradient(Tensor leaf)
    {
        if (!leaf.DType.IsFloatingPoint())
            return null;
        var implementation = *(nint*)leaf.Handle;
        nint copy;
        Operator.Check(Native.NewTensorHandle(MutableGrad(implementation), &copy), "aoti_torch_new_tensor_handle");
        using var gradient = Tensor.Own(copy);
        return gradient.Clone();
    }

    private static delegate* unmanaged<nint, nint> Resolve()
    {
        _ = Native.Library;
        var library = NativeLibrary.Load(Path.Combine(LibtorchLibrary.Folder, "libc10.so"));
        return (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(library, "_ZN3c1010TensorImpl12mutable_gradEv");
    }
}
