namespace Handbook.Data.Mixtures;

/// <summary>Whose rules hold where the original's eras differ.</summary>
public enum DataProfile
{
    /// <summary>The original's intent without its faults; the default.</summary>
    Best,

    /// <summary>The scripts up to April 2025 with TRL 0.7 to 0.12, faults included.</summary>
    V03,

    /// <summary>The scripts since July 2025 with TRL 0.19, faults included.</summary>
    Trl019,
}
