using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>The sum of a stream and what a block adds to it.</summary>
public static class Residual
{
    /// <summary>Adds two tensors of one shape and type; the gradient reaches both as it is, without a copy.</summary>
    public static Variable Add(Tape tape, Variable stream, Variable delta) =>
        tape.Record(stream.Value.Add(delta.Value), [stream, delta], [], (gradient, _) =>
        {
            stream.Accumulate(gradient.Alias());
            delta.Accumulate(gradient.Alias());
        });
}
