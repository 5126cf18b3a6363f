using System.Buffers.Binary;
using System.Text;
using Handbook.Models.Safetensors;

namespace Handbook.Models.Tests.Safetensors;

public sealed class SafetensorsHeaderTests
{
    // Headers that break one rule each, the bytes of data that follow, and what the message must say.
    public static TheoryData<string, int, string> BrokenHeaders() => new()
    {
        { "{", 0, "is too small" },
        { "[]", 0, "does not begin with {" },
        { " {}", 0, "does not begin with {" },
        { "{\"a\": }", 0, "not valid JSON" },
        { "{} x", 0, "not valid JSON" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            8, "\"a\" occurs twice" },
        { "{\"a\":{\"dtype\":\"F23\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype \"F23\". Did you mean F32?" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "takes 8 bytes, data_offsets span 4" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "before its beginning" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "bytes 0 to 4 before \"a\" belong to no tensor" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
            12, "bytes 4 to 8" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            8, "inside the tensor before it" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "truncated or damaged" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9, "5 bytes follow the last tensor" },
        { "{}", 3, "3 bytes follow the last tensor" },
        { $"{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(",", Enumerable.Repeat("1", 2_000_000))}],\"data_offsets\":[0,4]}}}}", 4,
            "shape has more than 64 numbers" },
        { $"{{\"a\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{string.Join(",", Enumerable.Repeat("0", 2_000_000))}]}}}}", 4,
            "data_offsets has more than 64 numbers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,4],\"data_offsets\":[0,4]}}", 4, "overflow" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0, "takes 18446744073709551616 bytes" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,4]}}", 4, "whole numbers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "whole numbers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "whole numbers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "shape must be a list" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "two data_offsets" },
        { "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "needs a dtype" },
        { "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unexpected or repeated \"dtype\"" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"extra\":0}}", 4, "unexpected or repeated \"extra\"" },
        { "{\"a\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,0]}}", 0, "takes 0 bytes" },
        { "{\"a\":[]}", 0, "must be an object" },
        { "{\"__metadata__\":{\"k\":1}}", 0, "must be a text" },
        { "{\"__metadata__\":[]}", 0, "must be an object of texts" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "occurs twice" },
        { "{\"a\\nb\":{\"dtype\":\"??\",\"shape\":[],\"data_offsets\":[0,0]}}", 0, "\"a?b\" has the unknown dtype" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[[[[[[[[[[1]]]]]]]]]],\"data_offsets\":[0,4]}}", 4, "shape must be a list" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public void Read_BrokenHeader_SaysWhatIsWrongInOneLine(string header, int dataLength, string expected)
    {
        var error = Refusal(File(Encoding.UTF8.GetBytes(header), dataLength));

        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "3 bytes cannot hold")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "is too small")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255 }, "18446744073709551615 bytes long")]
    [InlineData(new byte[] { 0, 225, 245, 5, 0, 0, 0, 0 }, "The file is truncated")]
    [InlineData(new byte[] { 4, 0, 0, 0, 0, 0, 0, 0, (byte)'{', 0xff, 0xfe, (byte)'}' }, "not UTF-8")]
    public void Read_BrokenPrefix_SaysWhatIsWrong(byte[] content, string expected) =>
        Assert.Contains(expected, Refusal(content), StringComparison.Ordinal);

    [Fact]
    public void Read_RandomMutations_ThrowNothingElse()
    {
        var sound = File(Encoding.UTF8.GetBytes(
            "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[8,10]}}"), 10);
        Assert.Equal(2, Read(sound).Tensors.Count);
        var random = new Random(1);
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = sound.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                mutated = mutated[..random.Next(mutated.Length)];
            try
            {
                Read(mutated);
            }
            catch (UserErrorException error)
            {
                Assert.DoesNotContain('\n', error.Message);
                refused++;
            }
        }
        Assert.True(refused > 10_000);
    }

    private static byte[] File(byte[] header, int dataLength)
    {
        var content = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(content, header.Length);
        header.CopyTo(content, 8);
        return content;
    }

    private static SafetensorsHeader Read(byte[] content)
    {
        using var stream = new MemoryStream(content);
        return SafetensorsHeader.Read("model.safetensors", stream, content.Length);
    }

    private static string Refusal(byte[] content)
    {
        var error = Assert.Throws<UserErrorException>(() => Read(content));
        Assert.StartsWith("model.safetensors: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }
}
