using System.Globalization;
using Handbook.Data.Sources;

namespace Handbook.Data.Cleaning;

/// <summary>What is removed before examples become tokens. Nothing, unless asked for.</summary>
public sealed record CleaningOptions
{
    /// <summary>Remove examples whose words were all there before (case and spacing aside).</summary>
    public bool ExactDuplicates { get; init; }

    /// <summary>Remove examples much like one before; null does not.</summary>
    public NearDuplicateOptions? NearDuplicates { get; init; }

    /// <summary>Evaluation sets whose word sequences must not occur; empty removes nothing.</summary>
    public IReadOnlyList<EvaluationSet> Decontaminate { get; init; } = [];

    /// <summary>Words in a row that must be the same to call an example contaminated.</summary>
    public int NGramWords { get; init; } = 13;

    /// <summary>The HumanEval set for the original's substring rule (docstrings and solutions), or null.</summary>
    public DatasetRequest? HumanEval { get; init; }

    /// <summary>Fewest characters of an example.</summary>
    public int? MinCharacters { get; init; }

    /// <summary>Most characters of an example.</summary>
    public int? MaxCharacters { get; init; }

    /// <summary>Conditions on columns, such as <c>score &gt;= 4</c> or <c>lang == en</c>; rows that fail one are removed.</summary>
    public IReadOnlyList<ColumnFilter> Columns { get; init; } = [];

    /// <summary>True when anything is to be removed.</summary>
    public bool IsActive => ExactDuplicates || NearDuplicates is not null || Decontaminate.Count > 0 || HumanEval is not null
        || MinCharacters is not null || MaxCharacters is not null || Columns.Count > 0;

    /// <summary>The datasets that examples are compared with.</summary>
    public IEnumerable<DatasetRequest> Sets =>
        HumanEval is null ? Decontaminate.Select(set => set.Dataset) : Decontaminate.Select(set => set.Dataset).Append(HumanEval);

    /// <summary>All settings in one line, for the store's key.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{ExactDuplicates} {NearDuplicates} [{string.Join(", ", Decontaminate)}] {NGramWords} {HumanEval} {MinCharacters} "
            + $"{MaxCharacters} [{string.Join(", ", Columns)}]");
}

/// <summary>An evaluation set that training data must not contain.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Dataset">Where it is; every text in its rows counts.</param>
public sealed record EvaluationSet(string Name, DatasetRequest Dataset);

/// <summary>When two examples are near duplicates.</summary>
public sealed record NearDuplicateOptions
{
    /// <summary>Least estimated Jaccard similarity of the sets of word runs.</summary>
    public double Threshold { get; init; } = 0.8;

    /// <summary>Words of a run.</summary>
    public int ShingleWords { get; init; } = 5;

    /// <summary>Numbers of a signature; the estimate's standard error is about <c>sqrt(s(1-s)/n)</c>.</summary>
    public int Permutations { get; init; } = 128;

    /// <summary>Seed of the hash functions.</summary>
    public long Seed { get; init; } = 1;
}
