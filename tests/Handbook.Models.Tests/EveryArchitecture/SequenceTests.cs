using Handbook.Autograd;
using Handbook.Models.Generation;
using Handbook.Torch;

namespace Handbook.Models.Tests.EveryArchitecture;

/// <summary>How sequences lie in a row changes nothing, whatever the architecture and its windows.</summary>
public sealed class SequenceTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<string> Names() => TinyArchitectures.Names();

    [Theory]
    [MemberData(nameof(Names))]
    public void Forward_PackedRow_EqualsDocumentsApart(string modelType)
    {
        using var scope = new TensorScope();
        using var model = TinyArchitectures.Create(modelType);
        int[][] documents = [TinyArchitectures.Tokens(17, 1), TinyArchitectures.Tokens(1, 2), TinyArchitectures.Tokens(11, 3)];

        var packed = Hidden(model, [.. documents.SelectMany(ids => ids)], SequenceLayout.Documents([17, 1, 11]));

        var start = 0;
        foreach (var ids in documents)
        {
            var alone = Hidden(model, ids, SequenceLayout.Documents([ids.Length]));
            Assert.InRange(packed.Narrow(0, start, ids.Length).MaxAbsDifference(alone), 0, Tolerance * Largest(alone));
            start += ids.Length;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Backward_SharedPrefix_GivesGradientsOfSeparateRows(string modelType)
    {
        using var scope = new TensorScope();
        using var model = TinyArchitectures.Create(modelType);
        var (prompt, first, second) = (TinyArchitectures.Tokens(9, 1), TinyArchitectures.Tokens(8, 2), TinyArchitectures.Tokens(6, 3));
        var shared = Gradients(model, [.. prompt, .. first, .. second],
            new SequenceLayout(new Segment(0, 9), new Segment(9, 8, 9, 0), new Segment(17, 6, 9, 0)),
            [8, .. Enumerable.Range(9, 7), 8, .. Enumerable.Range(17, 5)], [.. first, .. second]);
        var separate = Gradients(model, [.. prompt, .. first, .. prompt, .. second], SequenceLayout.Documents([17, 15]),
            [.. Enumerable.Range(8, 8), .. Enumerable.Range(25, 6)], [.. first, .. second]);

        Assert.Equal(separate.Loss, shared.Loss, 1e-4);
        foreach (var (name, gradient) in separate.Gradients)
            Assert.True(shared.Gradients[name].MaxAbsDifference(gradient) <= 1e-4 * (Largest(gradient) + 1e-2), name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Generate_ManyAtOnce_EqualsAloneAndForwardPasses(string modelType)
    {
        using var model = TinyArchitectures.Create(modelType);
        var requests = new[] { 3, 14, 7 }.Select((length, i) =>
            new GenerationRequest { Prompt = TinyArchitectures.Tokens(length, i), MaxNewTokens = 9 + i, StopTokens = [] }).ToArray();

        var together = new Generator(model).Run(requests);

        foreach (var (request, results) in requests.Zip(together))
        {
            var alone = new Generator(model).Run(request);
            Assert.Equal(alone.Tokens, results[0].Tokens);
            Assert.Equal(alone.TokenLogps, results[0].TokenLogps);
            Assert.Equal(Greedy(model, request), alone.Tokens);
        }
    }

    private static Tensor Hidden(CausalLanguageModel model, int[] ids, SequenceLayout layout)
    {
        using var tape = new Tape(isRecording: false);
        return model.Forward(tape, ids, layout).Hidden.Value;
    }

    private static (double Loss, Dictionary<string, Tensor> Gradients) Gradients(
        CausalLanguageModel model, int[] ids, SequenceLayout layout, int[] rows, int[] labels)
    {
        using var tape = new Tape();
        var output = model.Forward(tape, ids, layout);
        var (loss, _) = model.Head.Loss(tape, output.Hidden, rows, labels, [-1f]);
        tape.Backward(loss);
        var gradients = model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Grad!.Clone());
        foreach (var parameter in model.Parameters)
            parameter.ZeroGrad();
        return (loss.Value.Item(), gradients);
    }

    private static int[] Greedy(CausalLanguageModel model, GenerationRequest request)
    {
        var ids = request.Prompt.ToArray().ToList();
        for (var i = 0; i < request.MaxNewTokens; i++)
        {
            using var scope = new TensorScope();
            var hidden = Hidden(model, [.. ids], SequenceLayout.Documents([ids.Count]));
            ids.Add((int)model.Head.Logits(hidden.Narrow(0, ids.Count - 1, 1)).ArgMax(1).Item());
        }
        return [.. ids.Skip(request.Prompt.Length)];
    }

    private static double Largest(Tensor values) => values.ToArray<double>().Max(Math.Abs);
}
