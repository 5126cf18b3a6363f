using System.Runtime.InteropServices;

namespace Handbook.Data.Store;

/// <summary>What <c>documents.bin</c> holds for each document, little-endian, 72 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct DocumentRecord
{
    /// <summary>Index of the first token in <c>tokens.bin</c>.</summary>
    public long TokenStart;

    /// <summary>Lengths of the parts; 0 for parts its kind does not have.</summary>
    public int Part0, Part1, Part2;

    /// <summary>Tokens that are labels, the first token of the document excepted.</summary>
    public int LabelCount;

    /// <summary>Code points of the rendered text.</summary>
    public int Characters;

    /// <summary>1 for a desirable verdict.</summary>
    public int Desirable;

    /// <summary>By how much a pair's chosen completion should score above the rejected one;
    /// not a number where the data say nothing.</summary>
    public float Margin;

    /// <summary>Tokens of the example that are not here, since prompt and completions were cut to length.</summary>
    public int LostTokens;

    /// <summary>First tokens of a pair's prompt that do not stand before its chosen and its rejected completion.</summary>
    public int UnseenByChosen, UnseenByRejected;

    /// <summary>Number of the source, and row within it.</summary>
    public int Source;

    /// <summary>Row within the source, from 0.</summary>
    public long Row;

    /// <summary>Number of the source's file, and line or row within that: for messages only, not part of the content.</summary>
    public int File;

    /// <summary>Line or row in the file, from 1.</summary>
    public long Number;

    /// <summary>Tokens of all parts.</summary>
    public readonly int Length => Part0 + Part1 + Part2;
}
