namespace Handbook.Data.Sources;

/// <summary>One file of rows, read in order and never held whole.</summary>
public interface IRowFile
{
    /// <summary>Path of the file.</summary>
    string Path { get; }

    /// <summary>Number of rows. Columnar files know it; others are read through once.</summary>
    /// <exception cref="UserErrorException">The file cannot be read.</exception>
    long Count();

    /// <summary>
    /// Rows in the order of the file, those whose index is wanted (null: all). Broken rows come too, with their problem.
    /// </summary>
    /// <exception cref="UserErrorException">The file cannot be read (on).</exception>
    IEnumerable<SourceRow> Read(Predicate<long>? wanted);
}
