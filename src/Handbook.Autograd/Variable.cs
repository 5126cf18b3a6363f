using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A tensor in a differentiable computation. Disposing it lets go of its value once its consumers have run: operations that
/// need the data in their backward pass hold it themselves.
/// </summary>
public sealed class Variable : IDisposable
{
    /// <summary>Wraps a value; it is freed with the variable.</summary>
    public Variable(Tensor value, bool requiresGrad = false)
    {
        Value = value;
        RequiresGrad = requiresGrad;
    }

    /// <summary>The data.</summary>
    public Tensor Value { get; }

    /// <summary>True when a gradient is wanted here or behind here.</summary>
    public bool RequiresGrad { get; }

    /// <summary>Gradient of the loss with respect to <see cref="Value"/>, same shape; null before any reached it.</summary>
    public Tensor? Grad { get; private set; }

    /// <summary>A value of this pass in the place of a weight.</summary>
    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(variable))]
    public static implicit operator Weight?(Variable? variable) => ToWeight(variable);

    /// <summary>A value of this pass in the place of a weight; null for null.</summary>
    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(variable))]
    public static Weight? ToWeight(Variable? variable) => variable is null ? null : new ComputedWeight(variable);

    /// <summary>Adds a contribution to the gradient and takes it over: the caller must not use it afterwards.</summary>
    public void Accumulate(Tensor gradient)
    {
        if (!RequiresGrad)
        {
            gradient.Dispose();
            return;
        }
        if (Grad is null)
        {
            Grad = TensorScope.Detach(gradient);
            return;
        }
        var sum = TensorScope.Detach(Grad.Add(gradient));
        Grad.Dispose();
        gradient.Dispose();
        Grad = sum;
    }

    /// <summary>Forgets the gradient.</summary>
    public void ZeroGrad()
    {
        Grad?.Dispose();
        Grad = null;
    }

    /// <summary>Frees the value (not the gradient: a later backward pass may still bring or need it).</summary>
    public void Dispose()
    {
        Value.Dispose();
    }
}
