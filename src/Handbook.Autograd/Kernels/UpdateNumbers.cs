namespace Handbook.Autograd.Kernels;

/// <summary>What an update computes with, apart from tensors.</summary>
/// <param name="WeightFactor">Weights are multiplied by it first: 1 - learning rate · decay.</param>
/// <param name="StepSize">Length of the step, bias correction included.</param>
/// <param name="Beta1">Share of the first running average that stays.</param>
/// <param name="Beta2">Share of the second running average that stays.</param>
/// <param name="RootFactor">What the root of the second running average is multiplied by: its bias correction.</param>
/// <param name="Epsilon">Added to that root.</param>
public readonly record struct UpdateNumbers(
    double WeightFactor, double StepSize, double Beta1 = 0, double Beta2 = 0, double RootFactor = 1, double Epsilon = 0);
