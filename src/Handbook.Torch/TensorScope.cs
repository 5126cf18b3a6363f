namespace Handbook.Torch;

/// <summary>
/// Owns the tensors made on this thread while it is the innermost scope, and frees them when it ends. What must outlive it
/// is handed out with <see cref="Keep(Tensor)"/>. Scopes nest; a tensor made outside any scope belongs to whoever holds it.
/// </summary>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? current;

    private readonly TensorScope? outer;
    private readonly List<Tensor> tensors = [];
    private bool ended;

    /// <summary>Opens a scope on this thread.</summary>
    public TensorScope()
    {
        outer = current;
        current = this;
    }

    /// <summary>The innermost open scope of this thread.</summary>
    public static TensorScope? Current => current;

    /// <summary>Hands a tensor to the scope around this one (or to the caller when there is none) and returns it.</summary>
    public Tensor Keep(Tensor tensor)
    {
        if (!ReferenceEquals(tensor.Scope, this))
            return tensor;
        tensor.Scope = outer;
        outer?.tensors.Add(tensor);
        return tensor;
    }

    /// <summary>Takes a tensor out of every scope: only <see cref="Tensor.Dispose"/> frees it from now on.</summary>
    public static Tensor Detach(Tensor tensor)
    {
        tensor.Scope = null;
        return tensor;
    }

    /// <summary>Frees what was not kept.</summary>
    public void Dispose()
    {
        if (ended)
            return;
        ended = true;
        if (!ReferenceEquals(current, this))
            throw new InvalidOperationException("Tensor scopes must end in the reverse order of their opening.");
        current = outer;
        foreach (var tensor in tensors)
        {
            if (ReferenceEquals(tensor.Scope, this))
                tensor.Dispose();
        }
        tensors.Clear();
    }

    internal static void Register(Tensor tensor)
    {
        if (current is not { } scope)
            return;
        tensor.Scope = scope;
        scope.tensors.Add(tensor);
    }
}
