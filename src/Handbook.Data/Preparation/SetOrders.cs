using Handbook.Data.Mixtures;
using Handbook.Data.Sources;

namespace Handbook.Data.Preparation;

/// <summary>
/// Which rows of which sources make up training and evaluation; null for "all rows of source 0 (1)" whose number need not be known.
/// </summary>
/// <param name="Train">Training rows in order, or null.</param>
/// <param name="Evaluation">Evaluation rows in order, or null.</param>
/// <param name="HasEvaluation">True when there is an evaluation set.</param>
/// <param name="Notes">What to tell about the mixing.</param>
internal sealed record SetOrders(MixtureRow[]? Train, MixtureRow[]? Evaluation, bool HasEvaluation, IReadOnlyList<string> Notes)
{
    /// <summary>Counts rows where the form needs it, and mixes.</summary>
    public static SetOrders Of(PreparationOptions options, IReadOnlyList<RowSource> sources)
    {
        if (options.Form == MixtureForm.Single)
            return new SetOrders(null, null, options.Evaluation is not null, []);
        var entries = options.Sources
            .Select((part, i) => new MixtureEntry(part.Request.Name, part.Request.Split, checked((int)sources[i].Count()), part.Weight))
            .ToList();
        var order = options.Form == MixtureForm.Mixture
            ? Mixture.Combine(entries, options.MixtureSeed, options.TestSize, options.Profile, options.Interleave)
            : Mixture.Mix(ByDataset(entries, options.Sources), options.Profile);
        return new SetOrders(order.Train, order.Test, order.Test.Length > 0, order.Notes);
    }

    /// <summary>The rows of a source among a portion of the mixture.</summary>
    public static RowSet Wanted(int source, IEnumerable<MixtureRow> portion) =>
        new(portion.Where(row => row.Source == source).Select(row => row.Row));

    private static List<IReadOnlyList<MixtureEntry>> ByDataset(List<MixtureEntry> entries, IReadOnlyList<DatasetPart> parts)
    {
        var datasets = new List<IReadOnlyList<MixtureEntry>>();
        for (var i = 0; i < entries.Count;)
        {
            var request = parts[i].Request;
            var splits = entries.Skip(i)
                .TakeWhile((_, k) => parts[i + k].Request.Name == request.Name && parts[i + k].Request.Config == request.Config).ToList();
            datasets.Add(splits);
            i += splits.Count;
        }
        return datasets;
    }
}
