using Handbook.Models.Architectures;
using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Tests.EveryArchitecture;

/// <summary>A mixture's folder as transformers 5 could write it: the experts in two tensors.</summary>
internal static class JoinedExperts
{
    internal static void Write(CausalLanguageModel apart, string folder)
    {
        using var scope = new TensorScope();
        var experts = ArchitectureTable.Rows[apart.Config.ModelType].Names.Experts!;
        var (gate, up, down) = (experts.Inputs[0], experts.Inputs[1], experts.Output);
        apart.Save(folder, DType.Float32);
        var tensors = new List<NamedTensor>();
        foreach (var parameter in apart.Parameters)
        {
            if (parameter.Name.Contains(gate, StringComparison.Ordinal))
            {
                var other = apart.Parameters.Single(one => one.Name == parameter.Name.Replace(gate, up, StringComparison.Ordinal));
                tensors.Add(new NamedTensor(parameter.Name.Replace(gate + ".weight", "mlp.experts.gate_up_proj", StringComparison.Ordinal),
                    Operator.Call("aten::cat"u8, default, new[] { parameter.Value, other.Value }, 1L)));
            }
            else if (parameter.Name.Contains(down, StringComparison.Ordinal))
            {
                tensors.Add(new NamedTensor(
                    parameter.Name.Replace(down + ".weight", "mlp.experts.down_proj", StringComparison.Ordinal), parameter.Value));
            }
            else if (!parameter.Name.Contains(up, StringComparison.Ordinal))
            {
                tensors.Add(new NamedTensor(
                    parameter.Name.Replace(experts.Router, "mlp.gate", StringComparison.Ordinal), parameter.Value));
            }
        }
        SafetensorsFolderWriter.Write(folder, tensors);
    }
}
