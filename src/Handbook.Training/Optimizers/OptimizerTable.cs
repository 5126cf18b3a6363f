using Handbook.Autograd;
using Handbook.Training.Options;

namespace Handbook.Training.Optimizers;

/// <summary>Optimizers by kind.</summary>
public static class OptimizerTable
{
    /// <summary>Makes a run's optimizer.</summary>
    /// <param name="options">Which one, and its numbers.</param>
    /// <param name="precision">The run's numbers; under <see cref="Precision.Bfloat16"/> there is no master copy.</param>
    /// <param name="parameters">All parameters of the model, in a fixed order; frozen ones are left alone.</param>
    /// <param name="seed">Seed of stochastic rounding.</param>
    /// <exception cref="UserErrorException">The kind has no update rule.</exception>
    public static IOptimizer Create(OptimizationOptions options, Precision precision, IReadOnlyList<Parameter> parameters, ulong seed) =>
        new Optimizer(Rule(options), parameters, options.WeightDecay, precision == Precision.Bfloat16, seed);

    private static IUpdateRule Rule(OptimizationOptions options) => options.Optimizer switch
    {
        OptimizerKind.AdamW => new AdamW(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon),
        OptimizerKind.RmsProp => new RmsProp(),
        OptimizerKind.Sgd => new Sgd(),
        OptimizerKind.Lion => new Lion(options.AdamBeta1, options.AdamBeta2),
        _ => throw new UserErrorException($"optim: {options.Optimizer} has no update rule here; known are AdamW, RmsProp, Sgd and Lion."),
    };
}
