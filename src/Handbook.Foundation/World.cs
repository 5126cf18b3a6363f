namespace Handbook;

/// <summary>
/// The processes that share a run: who this one is among them, and sums over all of them. What a step is normalised by, its gradient
/// norm and what is measured go through it; one process is a world of one rank.
/// </summary>
public class World
{
    /// <summary>This process alone.</summary>
    public static World Single { get; } = new();

    /// <summary>Number of this process, from 0.</summary>
    public virtual int Rank => 0;

    /// <summary>Number of processes.</summary>
    public virtual int Size => 1;

    /// <summary>True for the one that writes files and speaks to people.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Replaces numbers by their sums over all ranks, the same bits on each.</summary>
    public virtual void Sum(Span<double> values) { }

    /// <summary>Waits until all ranks have come here.</summary>
    public virtual void Barrier() { }
}
