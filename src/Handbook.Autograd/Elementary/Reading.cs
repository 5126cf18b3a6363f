
namespace Handbook.Autograd.Elementary;

/// <summary>A weight among the values of a pass, for what is neither a product nor a lookup.</summary>
public static class Reading
{
    /// <summary>The weight's tensor as a variable; the gradient goes to the weight.</summary>
    public static Variable Read(this Tape tape, Weight weight)
    {
        using var lease = weight.Lease();
        return tape.Record(lease.Value.Alias(), [], [], (gradient, _) => weight.Gradient?.Add(gradient.Alias()), [weight]);
    }
}
