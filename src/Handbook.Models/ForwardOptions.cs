using Handbook.Torch;

namespace Handbook.Models;

/// <summary>How a pass over a packed row is run.</summary>
public sealed record ForwardOptions
{
    /// <summary>Everything kept, no noise.</summary>
    public static ForwardOptions Default { get; } = new();

    /// <summary>Run each layer again in the backward pass instead of keeping its intermediate values.</summary>
    public bool Recompute { get; init; }

    /// <summary>Strength of NEFTune's noise on the embeddings of a recorded pass (arXiv:2310.05914); 0 for none.</summary>
    public double NeftuneAlpha { get; init; }

    /// <summary>Treat the configuration's dropout as 0.</summary>
    public bool DisableDropout { get; init; }

    /// <summary>Sees the embeddings, the stream after each layer, and the hidden states after the final norm, [tokens,
    /// width] each.</summary>
    public Action<Tensor>? Observe { get; init; }
}
