using Handbook.Gguf.Format;

namespace Handbook.Gguf;

/// <summary>What a user asks for: a type for most matrices, and the name of the mixture in llama.cpp.</summary>
public sealed class FileType
{
    private FileType(TensorType most, int code) => (Most, Code) = (most, code);

    /// <summary>The types that can be asked for.</summary>
    public static IReadOnlyList<FileType> All { get; } =
    [
        new(TensorType.F32, 0), new(TensorType.F16, 1), new(TensorType.BF16, 32), new(TensorType.Q8, 7), new(TensorType.Q4, 2),
        new(TensorType.Q4K, 15), new(TensorType.Q6K, 18),
    ];

    /// <summary>Such as <c>q4_k</c>.</summary>
    public string Name => Most.Name;

    /// <summary>Type of most matrices.</summary>
    internal TensorType Most { get; }

    /// <summary>llama.cpp's number (<c>llama_ftype</c>); Q4_K is its Q4_K_M.</summary>
    internal int Code { get; }

    /// <summary>True when matrices are packed.</summary>
    internal bool IsQuantized => Most.Encoder is not null;

    /// <summary>The type of a name, in any case.</summary>
    /// <exception cref="UserErrorException">There is none of this name.</exception>
    public static FileType Find(string name) => All.FirstOrDefault(type => type.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new UserErrorException($"--type {name}: is not a type; {string.Join(", ", All.Select(type => type.Name))} are."
            + NearestName.Hint(name, All.Select(type => type.Name)));
}
