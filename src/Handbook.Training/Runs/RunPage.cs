using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>A page about a run that is left in its folder at the end. Runs know of none: whoever starts one says which.</summary>
/// <param name="FileName">Its name in the output folder.</param>
/// <param name="Text">Makes its text.</param>
public sealed record RunPage(string FileName, Func<RunSummary, string> Text);

/// <summary>What there is to tell of a finished run.</summary>
/// <param name="Options">What it was told.</param>
/// <param name="State">Its state at the end, with every row that it logged.</param>
/// <param name="DataFacts">Facts about the data, such as examples, rows and label tokens.</param>
/// <param name="Versions">What trained it.</param>
/// <param name="EndedAt">When it ended.</param>
public sealed record RunSummary(
    RunOptions Options, TrainerState State, IReadOnlyList<(string Name, string Value)> DataFacts,
    IReadOnlyList<(string Name, string Version)> Versions,
    DateTimeOffset EndedAt);
