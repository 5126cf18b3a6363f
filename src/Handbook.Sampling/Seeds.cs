namespace Handbook.Sampling;

/// <summary>Seeds that follow from a run's seed and a place in it, far apart for neighbouring places.</summary>
public static class Seeds
{
    /// <summary>The seed of a place: of a prompt in a run, of a sample of a prompt.</summary>
    public static ulong Of(ulong seed, long place)
    {
        // The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
        var mixed = seed + ((ulong)place + 1) * 0x9E3779B97F4A7C15UL;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }
}
