namespace Handbook.Autograd.Kernels;

/// <summary>Cuts rows or columns of a product for threads.</summary>
internal static class EqualParts
{
    /// <summary>What matrix units and vectors take at a time.</summary>
    private const int Tile = 16;

    /// <summary>
    /// Size of equal parts in whole tiles, as large as <paramref name="most"/> allows. An even number of parts lets two or four
    /// threads end together.
    /// </summary>
    internal static int Size(long count, long most, bool even)
    {
        var parts = (count + most - 1) / most;
        if (even)
            parts += parts % 2;
        return (int)((count + parts - 1) / parts + Tile - 1) / Tile * Tile;
    }
}
