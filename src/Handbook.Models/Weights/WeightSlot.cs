using Handbook.Autograd;

namespace Handbook.Models.Weights;

/// <summary>
/// A place of a model that holds a weight, under the name that the reference gives it. What stands there may change after loading: an
/// adapter goes around it, and whoever owns the place does not know.
/// </summary>
/// <param name="name">Name in checkpoints.</param>
/// <param name="weight">What stands there first.</param>
public sealed class WeightSlot(string name, Weight weight)
{
    /// <summary>Name in checkpoints.</summary>
    public string Name => name;

    /// <summary>What stands there.</summary>
    public Weight Weight { get; set; } = weight;
}
