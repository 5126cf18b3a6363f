using System.Globalization;

namespace Handbook.Data.Mixtures;

/// <summary>A number of rows, or a share of all: Python's <c>1</c> and <c>1.0</c> differ.</summary>
/// <param name="Value">Rows, or a share in (0, 1).</param>
/// <param name="IsFraction">True for a share.</param>
public readonly record struct SplitSize(double Value, bool IsFraction)
{
    /// <summary>So many rows.</summary>
    public static SplitSize Rows(long rows) => new(rows, false);

    /// <summary>Such a share.</summary>
    public static SplitSize Fraction(double share) => new(share, true);

    /// <summary>As Python prints it.</summary>
    public override string ToString() => IsFraction ? PythonFloat(Value) : Value.ToString("F0", CultureInfo.InvariantCulture);

    internal static string PythonFloat(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny(".eE") < 0 ? text + ".0" : text;
    }
}
