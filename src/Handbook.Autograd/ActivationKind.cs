namespace Handbook.Autograd;

/// <summary>Pointwise non-linearities of language models.</summary>
public enum ActivationKind
{
    /// <summary>x · sigmoid(x), also called swish (arXiv:1710.05941).</summary>
    Silu,

    /// <summary>x · Φ(x) with the error function (arXiv:1606.08415).</summary>
    Gelu,

    /// <summary>The tanh approximation of <see cref="Gelu"/>, checkpoints' <c>gelu_new</c> and <c>gelu_pytorch_tanh</c>.</summary>
    GeluTanh,

    /// <summary>max(x, 0).</summary>
    Relu,
}
