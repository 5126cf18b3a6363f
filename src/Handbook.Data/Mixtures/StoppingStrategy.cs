namespace Handbook.Data.Mixtures;

/// <summary>When interleaving ends.</summary>
public enum StoppingStrategy
{
    /// <summary>As soon as one dataset has given its last row.</summary>
    FirstExhausted,

    /// <summary>When every dataset has given all its rows; shorter ones begin again.</summary>
    AllExhausted,

    /// <summary>When every dataset has given all its rows, each once.</summary>
    AllExhaustedWithoutReplacement,
}
