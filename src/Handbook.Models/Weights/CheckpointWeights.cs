using System.Globalization;
using Handbook.Models.Architectures;
using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// Weights of a checkpoint folder. A weight is read when it is asked for and converted when it has another type, one at a
/// time. What is missing, left over or of another shape is reported together.
/// </summary>
public sealed partial class CheckpointWeights : WeightSource
{
    private const int MostShown = 8;
    private const int MostCounted = 10_000;
    private readonly SafetensorsFolder folder;
    private readonly WeightNames names;
    private readonly StoredNames stored;
    private readonly HashSet<string> used = [];
    private readonly List<string> problems = [];
    private readonly HashSet<string> hinted = [];
    private int problemCount;

    /// <summary>Makes a source over an open folder, which must outlive the model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">What the architecture calls its weights.</param>
    /// <param name="dtype">Element type of the weights.</param>
    /// <param name="device">Where they are put.</param>
    public CheckpointWeights(SafetensorsFolder folder, WeightNames names, DType dtype, Device device = default) : base(dtype, device)
    {
        this.folder = folder;
        this.names = names;
        stored = new StoredNames(names, folder.Names);
    }

    /// <summary>Which tensors of the folder nobody needs to ask for.</summary>
    public Func<string, bool> MayBeLeft { get; init; } = _ => false;

    /// <summary>Which weights the folder may lack; <see cref="Fresh"/> makes them.</summary>
    public Func<string, bool> MayBeNew { get; init; } = _ => false;

    /// <summary>Makes the weights that the folder lacks.</summary>
    public WeightSource? Fresh { get; init; }

    /// <summary>
    /// Which weights may have fewer rows than asked for: the missing ones are the mean of those there, so that a new token begins
    /// as likely as the others are on average (Hewitt 2021, "Initializing New Word Embeddings for Pretrained Language Models").
    /// </summary>
    public Func<string, bool> MayGrow { get; init; } = _ => false;

    /// <summary>Names of weights that the folder lacked and that were made new.</summary>
    public IList<string> NewWeights { get; } = [];

    /// <inheritdoc/>
    public override void Finish()
    {
        staging.Free();
        foreach (var name in folder.Names)
        {
            if (!used.Contains(name) && !MayBeLeft(stored.Ours(name)) && !IsConstant(name))
                Note(() => $"{folder.FileOf(name)}: tensor {SafetensorsHeader.Quote(name)} {folder.Entry(name).ShapeText} is not part of "
                    + "this model.");
        }
        if (problemCount > 0)
            throw Fault("");
    }

    private UserErrorException Fault(string atLeast) => new(problemCount <= MostShown
        ? problems
        : [.. problems, string.Create(CultureInfo.InvariantCulture, $"{folder.Folder}: and {atLeast}{problemCount - MostShown} more.")]);

    /// <inheritdoc/>
    protected internal override Tensor Get(string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form)
    {
        if (Fresh is not null && MayBeNew(name) && !folder.Contains(Stored(name)))
        {
            NewWeights.Add(name);
            return Fresh.Get(name, shape, initialization, form);
        }
        if (MicroscaledWeights.Holds(folder, Stored(name)))
            return Microscaled(Stored(name), shape);
        using var scope = new TensorScope();
        var entries = form.Entries(name, shape);
        var parts = new List<Tensor>();
        foreach (var (part, partShape) in entries)
        {
            if (Read(part, partShape) is { } tensor)
                parts.Add(tensor);
        }
        return TensorScope.Detach(parts.Count < entries.Count ? Tensor.Empty([0], DType) : form.Join(parts).To(DType).To(Device));
    }

    /// <summary>Experts of few bits, in full.</summary>
    private Tensor Microscaled(string name, ReadOnlySpan<long> shape)
    {
        var (blocks, scales) = MicroscaledWeights.Names(name);
        used.UnionWith([blocks, scales]);
        if (shape.Length != 3 || MicroscaledWeights.Fault(folder, name, shape) is { } fault && Problem(() => fault) is null)
            return TensorScope.Detach(Tensor.Empty([0], DType));
        using var scope = new TensorScope();
        return TensorScope.Detach(Device.Kind == DeviceKind.Meta
            ? Tensor.Empty(shape, DType, Device)
            : MicroscaledWeights.Read(folder, name, shape, DType).To(Device));
    }

    /// <summary>One tensor of the files, grown where it may; null when it does not fit, which is noted.</summary>
    private Tensor? Read(string name, long[] shape, Func<long[], DType, Tensor>? room = null)
    {
        var stored = Stored(name);
        if (!folder.Contains(stored))
            return Problem(() => $"{folder.Folder}: tensor {stored} {ShapeText(shape)} is missing.{Hint(stored)}");
        used.Add(stored);
        var entry = folder.Entry(stored);
        var grows = MayGrow(name) && entry.Shape.Length == 2 && shape.Length == 2 && shape[1] == entry.Shape[1] && shape[0] > entry.Shape[0]
            && entry.Shape[0] > 0;
        if (!grows && !shape.AsSpan().SequenceEqual(entry.Shape))
            return Problem(
                () => $"{folder.FileOf(stored)}: tensor {stored} is {entry.ShapeText}, the configuration needs {ShapeText(shape)}.");
        if (ElementTypes.DTypeOf(entry.DTypeName) is { } dtype && !dtype.IsFloatingPoint())
            return Problem(() => $"{folder.FileOf(stored)}: tensor {stored} is {entry.DTypeName}; a weight is BF16, F16, F32 or F64.");
        // Shapes without elements need no reading: whether a folder fits its configuration is known from the headers.
        if (Device.Kind == DeviceKind.Meta)
            return Tensor.Empty(shape, DType, Device);
        var weight = folder.Get(stored, room);
        return grows ? Grown(weight, shape[0], weight.DType) : weight;
    }

    /// <summary>
    /// A weight once more, by the same mapping, in a wider element type than the model's: what rounding took away from the copy that
    /// computes. Null when the folder does not hold the weight, or holds no more than the model has.
    /// </summary>
    /// <param name="name">The weight's name in the model.</param>
    /// <param name="shape">Its shape in the model.</param>
    /// <param name="dtype">The wider type.</param>
    public Tensor? Exact(string name, ReadOnlySpan<long> shape, DType dtype)
    {
        var form = FormOf(name);
        var entries = form.Entries(name, shape);
        if (entries.Any(entry => !folder.Contains(Stored(entry.Name))) || entries.All(entry => IsWhole(Stored(entry.Name), entry.Shape)))
            return null;
        using var scope = new TensorScope();
        var parts = new List<Tensor>();
        foreach (var (part, partShape) in entries)
        {
            var weight = folder.Get(Stored(part));
            parts.Add(partShape.AsSpan().SequenceEqual(weight.Shape) ? weight : Grown(weight, partShape[0], dtype));
        }
        return TensorScope.Detach(form.Join(parts).To(dtype).To(Device));
    }

    /// <summary>Whether the model's own copy has all that the file holds.</summary>
    private bool IsWhole(string stored, long[] shape)
    {
        var entry = folder.Entry(stored);
        return shape.AsSpan().SequenceEqual(entry.Shape) && ElementTypes.DTypeOf(entry.DTypeName) == DType;
    }

    private bool IsConstant(string name) => names.Constants.Any(end => name.EndsWith(end, StringComparison.Ordinal))
        || names.OtherParts.Any(part => name.StartsWith(part, StringComparison.Ordinal));

    private static Tensor Grown(Tensor weight, long rows, DType dtype)
    {
        var grown = Tensor.Empty([rows, weight.Size(1)], dtype);
        grown.Narrow(0, 0, weight.Size(0)).CopyFrom(weight);
        grown.Narrow(0, weight.Size(0), rows - weight.Size(0))
            .CopyFrom(weight.To(DType.Float32).Sum(0, keepDim: true).Multiply(1.0 / weight.Size(0)));
        return grown;
    }

    private string Stored(string name) => stored[name];

    /// <summary>The name that was meant, each at most once: a folder of another model does not get one tensor for all
    /// that it lacks.</summary>
    private string Hint(string stored)
    {
        var name = NearestName.Find(stored, folder.Names.Where(other => !used.Contains(other) && !hinted.Contains(other)));
        return name is not null && hinted.Add(name) ? $" Did you mean {name}?" : "";
    }

    private static string ShapeText(long[] shape) => $"[{string.Join(", ", shape)}]";

    private void Note(Func<string> problem)
    {
        if (++problemCount <= MostShown)
            problems.Add(problem());
    }

    private Tensor? Problem(Func<string> problem)
    {
        Note(problem);
        // A configuration of a million layers is no reason to build them.
        return problemCount <= MostCounted ? null : throw Fault("more than ");
    }
}
