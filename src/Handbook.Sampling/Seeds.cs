namespace Handbook.Sampling;

/// <summary>Seeds that follow from a run's seed and a place in it, far apart for neighbouring places.</summary>
public static class Seeds
{
    /// <summary>The seed of a place: of a prompt in a run, of a sample of a prompt.</summary>
    public static ulong Of(ulong seed, long place) => SplitMix.Mix(seed + ((ulong)place + 1) * SplitMix.Step);
}
