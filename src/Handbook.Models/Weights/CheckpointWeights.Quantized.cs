using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <content>Weights in codes of few bits: made while the folder is read, one tensor at a time, or held by it already.</content>
public sealed partial class CheckpointWeights
{
    /// <summary>Codes that the decoder's linear layers are put into as they are read; null leaves them as the folder has them.</summary>
    public QuantizationConfig? Quantization { get; init; }

    /// <summary>Where tensors stand while codes are made of them.</summary>
    private readonly StagingMemory staging = new();

    private protected override Weight Make(
        string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form, WeightRole role)
    {
        // Experts and other stacks are matrices that each have been quantised by themselves.
        var matrix = shape.Length == 3 ? shape[1..].ToArray() : shape.ToArray();
        var entries = form.Entries(name, shape);
        var parts = new List<QuantizedMatrix?>();
        if (entries.Any(entry => BitsandbytesTensors.AreIn(folder, Stored(entry.Name))))
        {
            if (role is not (WeightRole.Linear or WeightRole.Experts))
            {
                used.UnionWith(entries.SelectMany(entry => BitsandbytesTensors.Beside(Stored(entry.Name)).Prepend(Stored(entry.Name))));
                var what = role switch { WeightRole.Embedding => "an embedding", WeightRole.Head => "a head", _ => "a norm or bias" };
                Problem(() => $"{folder.FileOf(Stored(name))}: tensor {Stored(name)} is in codes of few bits; {what} must be BF16, F16 "
                    + "or F32.");
                return Missing(name);
            }
            foreach (var entry in entries)
                parts.Add(ReadCodes(entry.Name, matrix));
        }
        else if (Quantization is { } quantization && Device.Kind != DeviceKind.Meta && quantization.Takes(name, role, names))
        {
            foreach (var entry in entries)
                parts.AddRange(Quantized(entry.Name, entry.Shape, form, quantization));
        }
        else
        {
            return base.Make(name, shape, initialization, form, role);
        }
        if (parts.Count == 0 || parts.Contains(null))
            return Missing(name);
        return shape.Length == 3 ? new QuantizedWeight(name, parts!, DType) : new QuantizedWeight(name, parts[0]!, DType);
    }

    private Parameter Missing(string name) => new(name, Tensor.Empty([0], DType), requiresGrad: false);

    /// <summary>The matrices of one tensor of the files; null for one that does not fit, which is noted.</summary>
    private IReadOnlyList<QuantizedMatrix?> Quantized(string name, long[] shape, StoredForm form, QuantizationConfig quantization)
    {
        using var scope = new TensorScope();
        if (Read(name, shape, staging.Take) is not { } tensor)
            return [null];
        if (!tensor.AllFinite())
        {
            Problem(() => $"{folder.FileOf(Stored(name))}: tensor {Stored(name)} holds values that are infinite or not a number; the run "
                + "that wrote it diverged, or the file is damaged.");
            return [null];
        }
        var numbers = form is StoredForm.Stacked ? tensor : form.Join([tensor]);
        return numbers.DimensionCount == 2 ? [Quantize(numbers, quantization)]
            : [.. Enumerable.Range(0, (int)numbers.Size(0)).Select(i => Quantize(numbers.Select(0, i), quantization))];
    }

    private QuantizedMatrix Quantize(Tensor numbers, QuantizationConfig quantization)
    {
        using var placed = numbers.To(Device);
        return QuantizedMatrix.Quantize(placed, quantization.Format, quantization.DoubleQuantization);
    }

    private QuantizedMatrix? ReadCodes(string name, long[] shape)
    {
        var stored = Stored(name);
        used.Add(stored);
        used.UnionWith(BitsandbytesTensors.Beside(stored));
        try
        {
            if (folder.Contains(stored))
                return BitsandbytesTensors.Read(folder, stored, shape).To(Device);
            Problem(() => $"{folder.Folder}: tensor {stored} is missing.{Hint(stored)}");
        }
        catch (UserErrorException error)
        {
            Problem(() => error.Message);
        }
        return null;
    }
}
