using Handbook.Autograd;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Adapters;

/// <summary>
/// A low-rank adapter around a model's weights (LoRA; Hu et al. 2021, arXiv:2106.09685), in PEFT's names. The model does not know of it:
/// the places of its weights hold adapted ones. Several may lie around each other; each has its own switch.
/// </summary>
public sealed class Adapter : ISavedWeights, IDisposable
{
    private readonly IPretrainedModel model;
    private readonly AdapterLeaves leaves;
    private readonly IDisposable? file;
    private readonly List<AdaptedWeight> parts = [];
    private readonly Dictionary<string, StoredForm> forms = [];

    private Adapter(IPretrainedModel model, LoraConfig config, AdapterLeaves leaves, string origin, IDisposable? file)
    {
        (this.model, this.leaves, this.file) = (model, leaves, file);
        foreach (var parameter in model.Parameters)
            parameter.IsTrained = false;
        var targets = AdapterTargets.Of(model, config, origin);
        Config = config with { ModulesToSave = targets.NamesOfWhole, FanInFanOut = targets.FanInFanOut };
        leaves.Begin(model, targets.LowRank);
        foreach (var target in targets.LowRank)
            parts.AddRange(LowRank(target));
        foreach (var slot in targets.Whole)
            parts.Add(Whole(slot));
        leaves.Finish();
        foreach (var part in parts)
            part.Slot.Weight = part.Weight;
        Parameters = [.. parts.SelectMany(part => part.Leaves).Distinct()];
        Unreached = targets.Unreached;
        Map = new WeightMap(forms);
    }

    /// <summary>The settings.</summary>
    public LoraConfig Config { get; }

    /// <summary>Holds the adapter off for a pass.</summary>
    public AdapterSwitch Switch { get; } = new();

    /// <summary>What is trained: A, B and lengths of each adapted weight, then the copies that are trained whole.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>How many of the model's weights are adapted or trained whole.</summary>
    public int WeightCount => parts.Count;

    /// <summary>Parameters that <c>all-linear</c> does not reach, since they are no modules: joined experts.</summary>
    public IReadOnlyList<string> Unreached { get; }

    /// <summary>The deltas that are a low-rank pair and nothing else.</summary>
    public IEnumerable<LowRankDelta> Deltas => parts.Where(part => part is { Leaves: [_, _], Taken: null })
        .Select(part => new LowRankDelta(part.Slot.Name, part.Leaves[0], part.Leaves[1], part.Scale) { Rows = part.Rows });

    /// <summary>Names of the weights that are trained whole.</summary>
    public IEnumerable<string> WholeWeights => parts.Where(part => part.Leaves is [_]).Select(part => part.Slot.Name);

    /// <inheritdoc/>
    public WeightMap Map { get; }

    /// <inheritdoc/>
    public string FileName => AdapterFolder.WeightsFile;

    /// <summary>What it is written down with: the models that it was trained on.</summary>
    public Lineage? Lineage { get; set; }

    /// <summary>Puts a new adapter around a model, all of whose own weights are then frozen.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="seed">Another seed gives another beginning.</param>
    /// <param name="origin">Where the settings stand, for messages.</param>
    /// <exception cref="UserErrorException">A name means nothing, or something that cannot be adapted.</exception>
    public static Adapter Create(IPretrainedModel model, LoraConfig config, ulong seed, string origin) =>
        new(model, config, new FreshLeaves(seed, config.Initialization, model.DType, model.Device), origin, null);

    /// <summary>Puts a stored adapter around a model, all of whose own weights are then frozen.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The adapter.</param>
    /// <param name="isTrained">False for one that stays as it is.</param>
    /// <exception cref="UserErrorException">It does not fit the model: everything that does not, one a line.</exception>
    public static Adapter Load(IPretrainedModel model, AdapterFolder folder, bool isTrained = false)
    {
        var weights = folder.OpenWeights();
        try
        {
            var second = folder.SecondNames(model, weights);
            var source = new CheckpointWeights(weights, AdapterFolder.Names, model.DType, model.Device)
            {
                MayBeLeft = second.Contains,
            };
            var config = folder.Config with { ModulesToSave = [.. folder.Config.ModulesToSave, .. folder.AlsoWhole(model, weights)] };
            var conversion = ExpertConversion.Of(model, isTrained ? config : config with { Dropout = 0 }, weights, folder.ConfigPath);
            var adapter = new Adapter(model, conversion.Config, new StoredLeaves(source, weights, conversion), folder.ConfigPath, weights)
            {
                Lineage = folder.Lineage,
            };
            foreach (var parameter in adapter.Parameters)
                parameter.IsTrained = isTrained;
            if (model.Device.Kind != DeviceKind.Meta
                && adapter.Parameters.FirstOrDefault(parameter => !parameter.Value.AllFinite()) is { } broken)
                throw new UserErrorException($"{folder.WeightsPath}: {broken.Name} holds values that are infinite or not a number; the "
                    + "run that wrote it diverged, or the file is damaged.");
            return adapter;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Tensor? Stored(Parameter parameter, DType dtype) => leaves.Exact(parameter, dtype)
        ?? (parts.Find(part => part.Leaves is [var whole] && whole == parameter) is { Inner: Parameter own }
            ? model.Stored(own, dtype) : null);

    /// <inheritdoc/>
    public void SaveState(string path, DType dtype) => AdapterFolder.Write(path, this, Config, ToFiles(dtype, null));

    /// <inheritdoc/>
    public void Save(string path, DType dtype, Func<Parameter, Tensor>? values = null)
    {
        using var scope = new TensorScope();
        if (Config.Initialization != LoraInitialization.Pissa)
        {
            AdapterFolder.Write(path, this, Config, ToFiles(dtype, values));
            return;
        }
        // What was taken out of the base at the beginning becomes part of the pair: the delta fits the base as it lies in its folder.
        var doubled = Config with
        {
            Rank = 2 * Config.Rank,
            Alpha = 2 * Config.Alpha / (Config.UseRsLora ? Math.Sqrt(2) : 1),
            RankPattern = [.. Config.RankPattern.Select(pair => KeyValuePair.Create(pair.Key, 2 * pair.Value))],
            AlphaPattern = [.. Config.AlphaPattern
                .Select(pair => KeyValuePair.Create(pair.Key, 2 * pair.Value / (Config.UseRsLora ? Math.Sqrt(2) : 1)))],
            Initialization = LoraInitialization.Default,
        };
        AdapterFolder.Write(path, this, doubled,
            ToFiles(dtype, parameter => Doubled(parameter, values?.Invoke(parameter) ?? parameter.Value)));
    }

    /// <summary>
    /// Puts dense weights in place of adapted ones: the model is then one that never had an adapter. The sums are made in float32 from
    /// what the folders hold, and rounded once.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="adapters">All that lie around its weights, innermost first.</param>
    public static void Merge(IPretrainedModel model, IReadOnlyList<Adapter> adapters)
    {
        var wide = model.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        foreach (var slot in model.Slots)
        {
            var around = adapters.Select(adapter => (adapter.leaves, Part: adapter.parts.Find(part => part.Slot == slot)))
                .Where(layer => layer.Part is not null).Select(layer => (layer.leaves, Part: layer.Part!)).ToList();
            if (around.Count == 0)
            {
                // A model is in codes of few bits as a whole or not at all.
                if (slot.Weight is QuantizedWeight codes)
                {
                    using (codes)
                    using (var numbers = codes.Lease())
                        slot.Weight = new Parameter(slot.Name, numbers.Value.Clone());
                }
                continue;
            }
            var inner = around[0].Part.Inner;
            Tensor Exact(DType dtype)
            {
                using var scope = new TensorScope();
                using var lease = inner.Lease();
                var sum = ((inner is Parameter own ? model.Stored(own, dtype) : null) ?? lease.Value).To(dtype);
                foreach (var (leaves, part) in around)
                    sum = part.Merged(sum, leaf => (leaves.Exact(leaf, dtype) ?? leaf.Value).To(dtype));
                return TensorScope.Detach(sum.Clone());
            }

            using var exact = Exact(wide);
            var merged = new Parameter(slot.Name, exact.To(model.DType).Clone())
            {
                IsShared = slot.Weight.Parameters.Any(leaf => leaf.IsShared),
            };
            slot.Merge(merged, Exact);
        }
    }

    /// <summary>Closes the file; the tensors belong to the model.</summary>
    public void Dispose() => file?.Dispose();

    /// <summary>The tensors; what is the head's too stands under both names, since PEFT would untie the two otherwise.</summary>
    private IEnumerable<NamedTensor> ToFiles(DType dtype, Func<Parameter, Tensor>? values)
    {
        var twice = AdapterFolder.TwoNames(model);
        foreach (var tensor in Map.ToFiles(Parameters, dtype, values))
        {
            yield return tensor;
            foreach (var name in twice.Where(name => name.First == tensor.Name))
                yield return tensor with { Name = name.Second, Value = name.IsTurned ? tensor.Value.Transpose(0, 1) : tensor.Value };
        }
    }

    private IReadOnlyList<AdaptedWeight> LowRank(AdapterTarget target)
    {
        using var scope = new TensorScope();
        if (target.Slots.Count > 1)
            return InParts(target);
        var inner = target.Slot.Weight;
        (Parameter Down, Parameter Up)? taken = null;
        if (Config.Initialization == LoraInitialization.Pissa)
        {
            using var lease = inner.Lease();
            var (first, second) = PrincipalVectors.Of(lease.Value, target.Rank, target.Scale);
            taken = (Frozen(target.DownName, first), Frozen(target.UpName, second));
            inner = new LowRankWeight(inner, taken.Value.Down, taken.Value.Up, -target.Scale, Switch);
        }
        var (down, up) = Pair(target, taken is { } start ? (start.Down.Value, start.Up.Value) : null);
        if (!Config.UseDora)
        {
            var lowRank = new LowRankWeight(inner, down, up, target.Scale, Switch, Config.Dropout);
            return [new AdaptedWeight(target.Slot, target.Slot.Weight, lowRank, [down, up]) { Scale = target.Scale, Taken = taken }];
        }
        var magnitude = leaves.Magnitude(target, () =>
        {
            using var whole = new LowRankWeight(inner, down, up, target.Scale, Switch).Lease();
            return DecomposedWeight.RowNorms(whole.Value);
        });
        forms[target.MagnitudeName] = target.MagnitudeForm;
        var decomposed = new DecomposedWeight(inner, down, up, magnitude, target.Scale, Switch, Config.Dropout);
        return [new AdaptedWeight(target.Slot, target.Slot.Weight, decomposed, [down, up, magnitude]) { Scale = target.Scale }];
    }

    /// <summary>One pair around several weights: all have its A, each has its own rows of B.</summary>
    private List<AdaptedWeight> InParts(AdapterTarget target)
    {
        var (down, up) = Pair(target, null);
        var (parts, row) = (new List<AdaptedWeight>(), 0L);
        foreach (var slot in target.Slots)
        {
            var count = slot.Weight.Shape[^2];
            var lowRank = new LowRankWeight(slot.Weight, new WeightRows(down, 0, target.Rank, row == 0),
                new WeightRows(up, row, count, row == 0), target.Scale, Switch);
            parts.Add(new AdaptedWeight(slot, slot.Weight, lowRank, [down, up]) { Scale = target.Scale, Rows = (row, count) });
            row += count;
        }
        return parts;
    }

    private (Parameter Down, Parameter Up) Pair(AdapterTarget target, (Tensor Down, Tensor Up)? principal)
    {
        (forms[target.DownName], forms[target.UpName]) = (target.DownForm(), target.UpForm());
        return leaves.Pair(target, principal);
    }

    private Parameter Frozen(string name, Tensor value) => new(name, value.To(model.DType).To(model.Device).Clone(), requiresGrad: false);

    private AdaptedWeight Whole(WeightSlot slot)
    {
        var name = AdapterTarget.Prefix + slot.Name;
        var form = model.Map[slot.Name];
        var own = leaves.Whole(slot, name, form);
        own.IsShared = slot.Weight.Parameters.Any(parameter => parameter.IsShared);
        forms[name] = form;
        return new AdaptedWeight(slot, slot.Weight, new ReplacedWeight(slot.Weight, own, Switch), [own]);
    }

    private Tensor Doubled(Parameter parameter, Tensor value)
    {
        var part = parts.Find(part => part.Leaves.Contains(parameter))!;
        if (part.Taken is not { } taken)
            return value;
        var isDown = parameter == part.Leaves[0];
        var dim = value.DimensionCount - (isDown ? 2 : 1);
        var other = isDown ? taken.Down.Value : taken.Up.Value.Multiply(-1);
        return Operator.Call("aten::cat"u8, default, new[] { value, other.To(value.DType) }, (long)dim);
    }
}
