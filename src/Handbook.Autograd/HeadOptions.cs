namespace Handbook.Autograd;

/// <summary>What happens to the logits between the product with the head's weight and the softmax.</summary>
/// <param name="LogitScale">Factor on the logits (Cohere, Granite, muP); 1 leaves them.</param>
/// <param name="SoftCap">Logits become cap * tanh(logit / cap) (Gemma 2); null leaves them.</param>
public sealed record HeadOptions(double LogitScale = 1, double? SoftCap = null)
{
    /// <summary>Plain logits.</summary>
    public static HeadOptions Default { get; } = new();
}
