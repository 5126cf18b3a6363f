using Handbook.Data.Examples;
using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>Takes rows that hold <c>input_ids</c> already, and no others: <c>skip_prepare_dataset</c>.</summary>
/// <param name="encoder">What encodes the task's other rows.</param>
public sealed class TokenizedRows(IExampleEncoder encoder) : IExampleEncoder
{
    /// <inheritdoc/>
    public StoreKind Kind => encoder.Kind;

    /// <inheritdoc/>
    public string Fingerprint => "tokenized rows; " + encoder.Fingerprint;

    /// <inheritdoc/>
    public string? Refuses(ExampleShape shape) => shape == ExampleShape.Tokenized ? encoder.Refuses(shape)
        : "dataset_kwargs.skip_prepare_dataset: true says that rows hold input_ids already";

    /// <inheritdoc/>
    public EncodedExample? Encode(Example example) => encoder.Encode(example);
}
