using CsCheck;

namespace Handbook.Autograd.Tests;

/// <summary>Random packed rows.</summary>
internal static class Layouts
{
    /// <summary>Documents, some of them prompts with answers that share them.</summary>
    internal static Gen<SequenceLayout> Any(int maximumLength, int maximumSegments) =>
        Gen.Select(Gen.Int[1, maximumLength].Array[1, maximumSegments], Gen.Int[0, 3].Array[maximumSegments])
            .Select((lengths, choices) => Build(lengths, choices));

    private static SequenceLayout Build(int[] lengths, int[] choices)
    {
        var segments = new Segment[lengths.Length];
        var start = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            // Half of the segments continue one of the earlier documents.
            var prefix = choices[i] < 2
                ? -1
                : Enumerable.Range(0, i).LastOrDefault(j => segments[j].Prefix < 0 && j % 2 == choices[i] % 2, -1);
            segments[i] = new Segment(start, lengths[i], prefix < 0 ? 0 : segments[prefix].Length, prefix);
            start += lengths[i];
        }
        return new SequenceLayout(segments);
    }
}
