using System.Text.RegularExpressions;

namespace Handbook.Training.Optimizers;

/// <summary>Which weights decay: transformers' rule (Trainer.get_decay_parameter_names) spares biases and norm weights.</summary>
public static partial class WeightDecayRule
{
    /// <summary>True when the parameter with this checkpoint name decays.</summary>
    public static bool Applies(string parameterName) => !Spared().IsMatch(parameterName);

    // transformers finds LayerNorm modules by type as well; ln_1, ln_2 and ln_f are GPT-2's names of them.
    [GeneratedRegex(@"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|(?:^|\.)ln_\w+(?:$|\.)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Spared();
}
