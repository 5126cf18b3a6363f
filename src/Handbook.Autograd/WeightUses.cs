namespace Handbook.Autograd;

/// <summary>The weights that one recorded operation will come back to, and the gradients that are expected from it.</summary>
internal sealed class WeightUses
{
    private static readonly WeightUses None = new([], []);

    private readonly Weight[] weights;
    private readonly GradientSink[] sinks;
    private bool ended;

    private WeightUses(Weight[] weights, GradientSink[] sinks)
    {
        (this.weights, this.sinks) = (weights, sinks);
        foreach (var weight in weights)
            weight.Retain();
        foreach (var sink in sinks)
            sink.Expect();
    }

    /// <summary>Notes the uses of an operation; nulls are skipped.</summary>
    internal static WeightUses Of(ReadOnlySpan<Weight?> weights)
    {
        if (weights.IsEmpty)
            return None;
        Weight[] used = [.. weights.ToArray().OfType<Weight>()];
        return new WeightUses(used, [.. used.SelectMany(weight => weight.Sinks)]);
    }

    /// <summary>Notes the uses of a pass that will be run again.</summary>
    internal static WeightUses Of(List<GradientSink> sinks) => new([], [.. sinks]);

    /// <summary>What was expected has come.</summary>
    internal void End() => Close(sink => sink.Arrive());

    /// <summary>It will not come, or others stand in for it.</summary>
    internal void Withdraw() => Close(sink => sink.Withdraw());

    private void Close(Action<GradientSink> close)
    {
        if (ended || sinks.Length + weights.Length == 0)
            return;
        ended = true;
        foreach (var sink in sinks)
            close(sink);
        foreach (var weight in weights)
            weight.Release();
    }
}
