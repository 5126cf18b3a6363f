using System.Text;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>Files broken at random: reading one ends in a tokenizer or in one clear line, never in anything else.</summary>
public sealed class HostileFileTests
{
    private static readonly string[] Texts = ["", "Hello <s>two  words</s> é中😀 123", "\uD800 a\r\n\tb"];

    private static int Rounds => Setting("HANDBOOK_FUZZ_ROUNDS", 400);

    /// <summary>Another number gives other mutations.</summary>
    private static int Start => Setting("HANDBOOK_FUZZ_SEED", 7919);

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    public static TheoryData<string> Seeds =>
        [.. ComponentVectorTests.VectorNames.Where((_, i) => i % 12 == 0), "SentencePiece", "tokenizer_config.json"];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Load_MutatedFile_GivesTokenizerOrOneLine(string seed)
    {
        using var folder = new TemporaryFolder();
        var (name, content) = seed switch
        {
            "SentencePiece" => ("tokenizer.model", SmallSentencePieceModel()),
            "tokenizer_config.json" => (seed, Encoding.UTF8.GetBytes("""
                {"bos_token":{"content":"<s>"},"model_max_length":512,"chat_template":[{"name":"default","template":"{{x}}"}],
                 "added_tokens_decoder":{"1":{"content":"<x>","special":true}},"tokenizer_class":"X"}
                """)),
            _ => ("tokenizer.json", Encoding.UTF8.GetBytes(ComponentVectorTests.TokenizerFile(seed))),
        };
        if (name == "tokenizer_config.json")
            folder.Write("tokenizer.json", ComponentVectorTests.TokenizerFile(ComponentVectorTests.VectorNames[0]));
        var random = new Random(seed.Length * Start);
        for (var round = 0; round < Rounds; round++)
        {
            var mutated = Mutate(content, random);
            File.WriteAllBytes(Path.Combine(folder.Path, name), mutated);
            try
            {
                var tokenizer = Tokenizer.Load(folder.Path);
                foreach (var text in Texts)
                    tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: true).Ids, skipSpecialTokens: true);
            }
            catch (UserErrorException exception)
            {
                Assert.DoesNotContain('\n', exception.Message);
            }
            catch (Exception exception)
            {
                Assert.Fail($"round {round} of {seed}: {exception}\n{Encoding.UTF8.GetString(mutated)[..Math.Min(3000, mutated.Length)]}");
            }
        }
    }

    /// <summary>Flips, cuts, repeats and moves bytes, and puts in numbers and brackets that readers trip over.</summary>
    private static byte[] Mutate(byte[] content, Random random)
    {
        string[] bait =
        [
            "-1", "2147483648", "1e999", "null", "[", "{", "]", "}", "\"", "\\ud800", "\"type\":", "16777215", "0", "\"\"",
            "true", "\u2581",
        ];
        var bytes = content.ToList();
        for (var change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--)
        {
            var (at, length) = (random.Next(bytes.Count), random.Next(1, 20));
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes.RemoveRange(at, Math.Min(length, bytes.Count - at)); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(length, bytes.Count - at))); break;
                case 3: bytes.RemoveRange(at, bytes.Count - at); break;
                case 4: bytes.InsertRange(at, Encoding.UTF8.GetBytes(bait[random.Next(bait.Length)])); break;
                default: bytes[at] = (byte)random.Next(256); break;
            }
        }
        return bytes.ToArray();
    }

    /// <summary>A model with every kind of piece, written by hand: tag, length, content.</summary>
    private static byte[] SmallSentencePieceModel()
    {
        var bytes = new List<byte>();
        (string Text, byte Type)[] pieces =
        [
            ("<unk>", 2), ("<s>", 3), ("</s>", 3), ("[X]", 4), ("<0x41>", 6), ("\u2581", 1), ("a", 1), ("b", 1), ("ab", 1), ("\u2581ab", 1),
        ];
        foreach (var (text, type) in pieces)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            byte[] message = [0x0A, (byte)utf8.Length, .. utf8, 0x15, 0, 0, 0x80, 0xBF, 0x18, type];
            bytes.AddRange([0x0A, (byte)message.Length, .. message]);
        }
        bytes.AddRange([0x12, 5, 0x18, 2, 0x98, 0x02, 1]);
        bytes.AddRange([0x1A, 4, 0x18, 1, 0x20, 0]);
        return bytes.ToArray();
    }
}
