namespace Handbook.Data.Preparation;

/// <summary>What was read of a source so far.</summary>
internal sealed class SourceProgress
{
    private const int NotKept = -1;
    private const int Emptied = -2;
    private readonly List<int> documentOfRow = [];
    private int current;

    /// <summary>The first document of the source; of one that is read in one go the others follow it.</summary>
    public int FirstDocument { get; init; }

    /// <summary>Its files, as far as they were reached, and whether their rows are counted in lines.</summary>
    public List<(string Path, bool IsLine)> Files { get; } = [];

    /// <summary>Documents made of it.</summary>
    public int Documents { get; private set; }

    /// <summary>Tokens of those.</summary>
    public long Tokens { get; private set; }

    /// <summary>Examples of which nothing was left to be a document.</summary>
    public int EmptiedExamples { get; private set; }

    /// <summary>Notes what became of an example: its document, or null when nothing was left of it.</summary>
    /// <param name="row">Row within the source.</param>
    /// <param name="document">The document.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="remember">Whether somebody will ask for documents by their rows.</param>
    public void Add(long row, int? document, int tokens, bool remember)
    {
        Documents += document is null ? 0 : 1;
        EmptiedExamples += document is null ? 1 : 0;
        Tokens += tokens;
        if (!remember)
            return;
        while (documentOfRow.Count <= row)
            documentOfRow.Add(NotKept);
        documentOfRow[(int)row] = document ?? Emptied;
    }

    /// <summary>The document of a row, or null when it was left out.</summary>
    public int? DocumentOf(int row) => row < documentOfRow.Count && documentOfRow[row] >= 0 ? documentOfRow[row] : null;

    /// <summary>True for a row of which nothing was left to be a document.</summary>
    public bool IsEmptied(int row) => row < documentOfRow.Count && documentOfRow[row] == Emptied;

    /// <summary>The number of a file, which is noted when it is new.</summary>
    public int NumberOf(string path, bool isLine)
    {
        if (current < Files.Count && Files[current].Path == path)
            return current;
        current = Files.FindIndex(file => file.Path == path);
        if (current < 0)
        {
            current = Files.Count;
            Files.Add((path, isLine));
        }
        return current;
    }
}
