namespace Handbook.Data.Packing;

/// <summary>A prompt, one completion and its label (KTO), as token ids.</summary>
/// <param name="Prompt">What the completion continues; never empty.</param>
/// <param name="Completion">The completion, with its end-of-turn token.</param>
/// <param name="Desirable">True for a completion that was liked.</param>
/// <param name="ExampleId">The source example.</param>
/// <param name="KlCompletion">The completion of another example, for the divergence that KTO estimates; null for none.</param>
public sealed record UnpairedExample(int[] Prompt, int[] Completion, bool Desirable, long ExampleId, int[]? KlCompletion = null)
{
    /// <summary>The whole as one sequence whose completion tokens are labels.</summary>
    public TokenBatch ToSequence() =>
        Sequence(Completion, [Desirable], KlCompletion is null ? null : Sequence(KlCompletion, [], null));

    private TokenBatch Sequence(int[] completion, bool[] desirable, TokenBatch? klBatch)
    {
        var mask = new bool[Prompt.Length + completion.Length];
        mask.AsSpan(Prompt.Length).Fill(true);
        return new TokenBatch([.. Prompt, .. completion], mask, SequenceLayout.Documents([mask.Length]), [ExampleId], [0])
        {
            Desirable = desirable,
            KlBatch = klBatch,
        };
    }
}
