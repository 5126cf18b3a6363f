using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A row for each expert that a token chose, sorted by expert: how a mixture of experts turns its choice into products of many rows with
/// each expert's weight (arXiv:2211.15841). Choices of one expert stand in the order of their tokens.
/// </summary>
public sealed class ExpertRows : IDisposable
{
    private long[]? offsets;

    /// <summary>Sorts a choice.</summary>
    /// <param name="choice">int64 [tokens, choices]: the experts of each token.</param>
    /// <param name="experts">Number of experts.</param>
    public ExpertRows(Tensor choice, int experts)
    {
        using var scope = new TensorScope();
        var (tokens, choices) = (choice.Size(0), choice.Size(1));
        var flat = choice.Reshape(tokens * choices);
        var (sorted, order) = Operator.Call2("aten::sort"u8, "stable"u8, flat, Value.Some(true), 0L, false);
        Order = TensorScope.Detach(order);
        Experts = TensorScope.Detach(sorted);
        var places = IntegerTensors.Progression(0, 1, tokens, choice.Device).View(tokens, 1);
        Tokens = TensorScope.Detach(Operator.Call("aten::expand"u8, default, places, new[] { tokens, choices }, false)
            .Reshape(tokens * choices).IndexSelect(0, order));
        var numbers = IntegerTensors.Progression(0, 1, experts, choice.Device).View(experts, 1);
        Ends = TensorScope.Detach(Operator.Call("aten::le"u8, "Tensor"u8, sorted.View(1, -1), numbers).Sum(1));
        TokenCount = tokens;
    }

    /// <summary>int64 [rows]: the place of each row's choice, token * choices + number of the choice.</summary>
    public Tensor Order { get; }

    /// <summary>int64 [rows]: the expert of each row.</summary>
    public Tensor Experts { get; }

    /// <summary>int64 [rows]: the token of each row.</summary>
    public Tensor Tokens { get; }

    /// <summary>int64 [experts]: where each expert's rows end.</summary>
    public Tensor Ends { get; }

    /// <summary>Number of tokens.</summary>
    public long TokenCount { get; }

    /// <summary>Where each expert's rows begin and, at the last place, where they end. Reading it waits for the device.</summary>
    public IReadOnlyList<long> Offsets => offsets ??= [0, .. Ends.Read<long>(DeviceWait.Experts)];

    /// <summary>Frees the indices.</summary>
    public void Dispose()
    {
        Order.Dispose();
        Experts.Dispose();
        Tokens.Dispose();
        Ends.Dispose();
    }
}
