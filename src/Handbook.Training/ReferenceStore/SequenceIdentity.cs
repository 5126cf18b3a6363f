using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Handbook.Data.Packing;

namespace Handbook.Training.ReferenceStore;

/// <summary>
/// Names a sequence by its content, so that its labels are found in whatever batch and order it comes, with its prompt shared
/// or repeated.
/// </summary>
internal static class SequenceIdentity
{
    /// <summary>Bytes of an identity.</summary>
    public const int Size = 16;

    /// <summary>Hash of the tokens that a segment's labels depend on, and of which of them are labels.</summary>
    public static UInt128 Of(TokenBatch batch, int segment)
    {
        var own = batch.Layout.Segments[segment];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (own.Prefix >= 0)
        {
            var prefix = batch.Layout.Segments[own.Prefix];
            hash.AppendData(MemoryMarshal.AsBytes(batch.TokenIds.AsSpan(prefix.Start, prefix.Length)));
        }
        hash.AppendData(MemoryMarshal.AsBytes(batch.TokenIds.AsSpan(own.Start, own.Length)));
        var places = new int[own.Length];
        var count = 0;
        for (var i = 0; i < own.Length; i++)
        {
            if (batch.LossMask[own.Start + i])
                places[count++] = own.FirstPosition + i;
        }
        hash.AppendData(MemoryMarshal.AsBytes(places.AsSpan(0, count)));
        // Tokens and places must not run into each other.
        hash.AppendData(MemoryMarshal.AsBytes<int>([count]));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}
