namespace Handbook.Training.Planning;

/// <summary>What holds memory during a step.</summary>
public enum MemoryOwner
{
    /// <summary>The model's weights, an adapter's among them.</summary>
    Weights,

    /// <summary>A frozen reference model's weights.</summary>
    Reference,

    /// <summary>Master copies and running averages.</summary>
    Optimizer,

    /// <summary>Gradients.</summary>
    Gradients,

    /// <summary>What the forward pass keeps for the backward pass.</summary>
    Activations,

    /// <summary>The head with its loss, and what operations need while they run.</summary>
    Temporaries,

    /// <summary>The program itself, libtorch, tokenizer and data.</summary>
    Program,
}
