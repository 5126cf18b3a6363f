using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives;

public sealed class PreferenceLossTableTests
{
    /// <summary>
    /// The names in DPOTrainer of TRL f2cd577 (<c>_compute_loss</c>, the list of its ValueError), and those of older versions that
    /// recipes still name.
    /// </summary>
    public static TheoryData<string> TrlNames() =>
    [
        "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero", "apo_down",
        "discopop", "sft", "sigmoid_norm", "aot_pair", "kto_pair",
    ];

    [Theory]
    [MemberData(nameof(TrlNames))]
    public void Find_NameOfTrl_IsThere(string name) => Assert.Equal(name, PreferenceLossTable.Find(name).Name);

    [Fact]
    public void Rows_NamesOccurOnce()
    {
        string[] names = [.. PreferenceLossTable.Rows.Select(row => row.Name)];
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void Find_UnknownName_NamesTheNearest()
    {
        var error = Assert.Throws<UserErrorException>(() => PreferenceLossTable.Find("sigmod"));
        Assert.Contains("sigmod is not a loss", error.Message, StringComparison.Ordinal);
        Assert.Contains("sigmoid", error.Message, StringComparison.Ordinal);
    }
}
