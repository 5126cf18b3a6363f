using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>One operation on random inputs, with the same function in libtorch's operators where there is one.</summary>
/// <param name="Class">Class of the operation.</param>
/// <param name="Method">Its method.</param>
/// <param name="Variant">What is special about this case, or empty.</param>
/// <param name="Inputs">Makes float64 (and integer) inputs of random shapes.</param>
/// <param name="Operation">Ours.</param>
/// <param name="Reference">libtorch's; null where it has none.</param>
internal sealed record OperationCase(
    Type Class,
    string Method,
    string Variant,
    Func<Random, Tensor[]> Inputs,
    Func<Tape, Variable[], Variable[]> Operation,
    Func<Tensor[], Tensor[]>? Reference)
{
    /// <summary>Shown by the test runner.</summary>
    internal string Name => $"{Class.Name}.{Method}{(Variant.Length == 0 ? "" : " " + Variant)}";
}
