using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>Turns examples into tokens and labels; used by many threads at once.</summary>
public interface IExampleEncoder
{
    /// <summary>What it makes.</summary>
    StoreKind Kind { get; }

    /// <summary>Text that changes whenever an example could give other tokens or labels: tokenizer, template, settings.</summary>
    string Fingerprint { get; }

    /// <summary>Why examples of a shape cannot be used, or null when they can.</summary>
    string? Refuses(ExampleShape shape);

    /// <summary>The tokens of an example, or null when its rules leave it out.</summary>
    /// <exception cref="BadRowException">The example cannot be rendered.</exception>
    EncodedExample? Encode(Example example);
}
