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
        var places = Operator.Call("aten::repeat_interleave"u8, "self_int"u8, Tensor.From(Enumerable.Range(0, (int)tokens).Select(token => (long)token).ToArray(), choice.Device), choices, Value.None, Value.None);
        Tokens = TensorScope.Detach(places.IndexSelect(0, order));
        var numbers = Tensor.From(Enumerable.Range(0, experts).Select(expert => (long)expert).ToArray(), choice.Device);
        Ends = TensorScope.Detach(Operator.Call("aten::searchsorted"u8, "Tensor"u8, sorted, numbers, false, true, Value.None, Value.None));
        TokenCount = tokens;
    }

    /// <summary>int64 [rows]: the place of each row's choice, token * choices + number of the choice.</summary>
    public Tensor Order { get; }

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
        Tokens.Dispose();
        Ends.Dispose();
    }
}
