using System.Globalization;
using System.Runtime.CompilerServices;
using Handbook.Data.Packing;

namespace Handbook.Data.Store;

/// <summary>
/// Prepared data on disk: every example's tokens and labels, and the rows they are packed into. Opening costs
/// nothing, a row costs its copying, and any number of ranks share its pages.
/// </summary>
public sealed class TokenStore : IDisposable
{
    private readonly StoreFile tokens;
    private readonly StoreFile documents;

    private TokenStore(string folder, StoreManifest manifest)
    {
        (Folder, Manifest) = (folder, manifest);
        tokens = new StoreFile(Path.Combine(folder, TokenStoreWriter.TokensFile));
        documents = new StoreFile(Path.Combine(folder, TokenStoreWriter.DocumentsFile));
        Train = new TokenSet(this, new StoreFile(Path.Combine(folder, "train.rows")), manifest.Train);
        Evaluation = manifest.Evaluation is { } evaluation
            ? new TokenSet(this, new StoreFile(Path.Combine(folder, "evaluation.rows")), evaluation)
            : null;
    }

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    /// <summary>What it was made of, with which counts and hash.</summary>
    public StoreManifest Manifest { get; }

    /// <summary>
    /// Hash of all tokens, labels and rows; the same whatever file format the data came in and however many threads worked.
    /// </summary>
    public string ContentHash => Manifest.ContentHash;

    /// <summary>What its examples are.</summary>
    public StoreKind Kind => Manifest.Kind;

    /// <summary>Number of examples, those of both sets.</summary>
    public int ExampleCount => (int)(documents.ByteCount / Unsafe.SizeOf<DocumentRecord>());

    /// <summary>The training set.</summary>
    public TokenSet Train { get; }

    /// <summary>The evaluation set, or null.</summary>
    public TokenSet? Evaluation { get; }

    /// <summary>Opens a store that is complete.</summary>
    /// <exception cref="UserErrorException">There is none, or a file of it is missing or cut short.</exception>
    public static TokenStore Open(string folder)
    {
        var manifest = StoreManifest.Read(folder);
        foreach (var (name, bytes) in manifest.FileSizes)
        {
            var file = new FileInfo(Path.Combine(folder, name));
            if (!file.Exists || file.Length != bytes)
                throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                    $"{file.FullName}: {(file.Exists ? $"{file.Length} bytes" : "missing")}; expected "
                        + $"{bytes} bytes. Delete the folder to prepare the data again"));
        }
        return new TokenStore(folder, manifest);
    }

    /// <summary>Names an example by its source: "train.jsonl, line 12".</summary>
    public string Describe(long exampleId)
    {
        ref readonly var record = ref Record((int)exampleId);
        return Manifest.Sources[record.Source].Files[record.File] is var (path, isLine)
            ? new Sources.RowPlace(path, record.Number, isLine).ToString()
            : "";
    }

    /// <summary>Number of tokens of an example.</summary>
    public int Length(int example) => Record(example).Length;

    /// <summary>Number of the source an example came from.</summary>
    public int SourceOf(int example) => Record(example).Source;

    /// <summary>Number of labels of an example.</summary>
    public int LabelCount(int example) => Record(example).LabelCount;

    /// <summary>Tokens of a piece, those that are no labels as their complement.</summary>
    internal ReadOnlySpan<int> Marked(Piece piece) =>
        tokens.Values<int>(sizeof(int) * (Record(piece.Document).TokenStart + piece.Start), piece.Length);

    /// <summary>The record of a document.</summary>
    internal ref readonly DocumentRecord Record(int document) =>
        ref documents.Values<DocumentRecord>((long)document * Unsafe.SizeOf<DocumentRecord>(), 1)[0];

    /// <inheritdoc/>
    public void Dispose()
    {
        tokens.Dispose();
        documents.Dispose();
        Train.Dispose();
        Evaluation?.Dispose();
    }
}
