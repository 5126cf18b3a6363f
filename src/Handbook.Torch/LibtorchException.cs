namespace Handbook.Torch;

/// <summary>A native call failed. The message names the operator, the shapes and dtypes it was given, and libtorch's reason.</summary>
public sealed class LibtorchException : Exception
{
    /// <summary>Reports a failed call.</summary>
    public LibtorchException(string message) : base(message) { }
}
