using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Training.Optimizers;

/// <summary>Optimizers by kind.</summary>
public static class OptimizerTable
{
    private static readonly Dictionary<OptimizerKind, Func<OptimizationOptions, Precision, IUpdateRule>> Rules = new()
    {
        [OptimizerKind.AdamW] = (options, _) => new AdamW(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon),
        [OptimizerKind.RmsProp] = (_, _) => new RmsProp(),
        [OptimizerKind.Sgd] = (_, _) => new Sgd(),
        [OptimizerKind.Lion] = (options, _) => new Lion(options.AdamBeta1, options.AdamBeta2),
        [OptimizerKind.Adafactor] = (_, _) => new Adafactor(),
        [OptimizerKind.Muon] = (options, precision) => new Muon(
            new AdamW(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon), options.MuonAdjustment,
            precision == Precision.Float32 ? DType.Float32 : DType.BFloat16),
    };

    /// <summary>Makes a run's optimizer.</summary>
    /// <param name="options">Which one, and its numbers.</param>
    /// <param name="precision">
    /// The run's numbers: under <see cref="Precision.Bfloat16"/> there is no master copy, under <see cref="Precision.Float16Mixed"/> losses
    /// are scaled.
    /// </param>
    /// <param name="parameters">All parameters of the model, in a fixed order; frozen ones are left alone.</param>
    /// <param name="seed">Seed of stochastic rounding.</param>
    public static IOptimizer Create(OptimizationOptions options, Precision precision, IReadOnlyList<Parameter> parameters, ulong seed) =>
        new Optimizer(Rules[options.Optimizer](options, precision), parameters, new OptimizerSettings
        {
            WeightDecay = options.WeightDecay,
            StochasticRounding = precision == Precision.Bfloat16,
            Seed = seed,
            States = options.States,
            ScalesLoss = precision == Precision.Float16Mixed,
        });
}
