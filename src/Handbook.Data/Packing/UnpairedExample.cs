namespace Handbook.Data.Packing;

/// <summary>A prompt, one answer and a verdict on it (KTO), as token ids.</summary>
/// <param name="Prompt">What the answer continues; never empty.</param>
/// <param name="Completion">The answer, with its end-of-turn token.</param>
/// <param name="Desirable">True for an answer that was liked.</param>
/// <param name="ExampleId">The source example.</param>
/// <param name="OtherCompletion">The answer of another example, for the divergence that KTO estimates; null for none.</param>
public sealed record UnpairedExample(int[] Prompt, int[] Completion, bool Desirable, long ExampleId, int[]? OtherCompletion = null)
{
    /// <summary>The whole as one sequence whose completion tokens are labels.</summary>
    public TokenBatch ToSequence() =>
        Sequence(Completion, [Desirable], OtherCompletion is null ? null : Sequence(OtherCompletion, [], null));

    private TokenBatch Sequence(int[] answer, bool[] verdicts, TokenBatch? contrast)
    {
        var mask = new bool[Prompt.Length + answer.Length];
        mask.AsSpan(Prompt.Length).Fill(true);
        return new TokenBatch([.. Prompt, .. answer], mask, SequenceLayout.Documents([mask.Length]), [ExampleId], [0])
        {
            Verdicts = verdicts,
            Contrast = contrast,
        };
    }
}
