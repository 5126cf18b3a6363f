namespace Handbook.Cli.Doctor;

/// <summary>How well a thing stands.</summary>
internal enum FindingState
{
    /// <summary>There, and used.</summary>
    Good,

    /// <summary>Not there; only some uses need it.</summary>
    Optional,

    /// <summary>Not there or broken; nothing trains without it.</summary>
    Missing,
}

/// <summary>One line of the doctor's report.</summary>
/// <param name="Topic">What was looked for.</param>
/// <param name="State">How it stands.</param>
/// <param name="Found">What was found, in words.</param>
/// <param name="Remedy">The command or setting that gets what is missing; null when nothing is.</param>
internal sealed record Finding(string Topic, FindingState State, string Found, string? Remedy = null);
