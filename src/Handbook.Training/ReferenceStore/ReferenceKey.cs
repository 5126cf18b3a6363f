using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Torch;

namespace Handbook.Training.ReferenceStore;

/// <summary>
/// All that decides the reference's log-probabilities. Loss, beta and everything else of the training are not among it: a sweep
/// over them has one store.
/// </summary>
/// <param name="Model">Identity of the frozen model's weights: <see cref="FolderIdentity.Of"/> or <see cref="OfNew"/>.</param>
/// <param name="DType">Element type that it computes in.</param>
/// <param name="Data">Hash of tokens, labels and rows (<c>TokenStore.ContentHash</c>).</param>
/// <param name="Settings">Whatever else changes the numbers, such as an adapter's identity; empty for nothing.</param>
public sealed record ReferenceKey(string Model, DType DType, string Data, string Settings = "")
{
    /// <summary>Changes whenever files of another version would be misread.</summary>
    private const int FormatVersion = 1;

    /// <summary>Name of the store's folder.</summary>
    public string Name => Hash(Encoding.UTF8.GetBytes(ToJson().ToJsonString()))[..32];

    /// <summary>Identity of a model with random weights.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">Seed of its weights.</param>
    public static string OfNew(JsonObject config, ulong seed) =>
        Hash(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{config.ToJsonString()} seed {seed}")));

    /// <summary>What <c>store.json</c> says, for a person who wonders what a folder is.</summary>
    internal JsonObject ToJson() => new()
    {
        ["format"] = FormatVersion,
        ["model"] = Model,
        ["dtype"] = DType.Name(),
        ["data"] = Data,
        ["settings"] = Settings,
    };

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
