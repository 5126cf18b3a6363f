using System.Runtime.CompilerServices;
using Handbook.Templates.Values;

namespace Handbook.Templates;

/// <summary>
/// What a rendering may still use up. Equality, hashing, printing and searching happen deep inside values, where nothing could hand it
/// on, so the rendering thread holds it: whatever walks over elements or characters pays here, by size.
/// </summary>
internal sealed class Budget(TemplateLimits limits)
{
    /// <summary>A scan of text that the processor does many characters at a time: what one step buys.</summary>
    private const int ScannedPerStep = 64;

    [ThreadStatic]
    private static Budget? t_current;

    private long _steps;

    /// <summary>Makes this the thread's budget; the one before it comes back with <see cref="Leave"/>.</summary>
    public Budget? Enter()
    {
        var outer = t_current;
        t_current = this;
        return outer;
    }

    /// <summary>Ends the thread's budget.</summary>
    public static void Leave(Budget? outer) => t_current = outer;

    /// <summary>Takes steps from this budget.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(long steps)
    {
        _steps += steps;
        if (_steps > limits.MaxSteps || steps < 0)
            throw OutOfSteps();
    }

    private PythonError OutOfSteps()
    {
        // Spent is spent, even where a template's own lookups would go on after a failure.
        _steps = limits.MaxSteps;
        return PythonError.Limit($"the template did not finish within {limits.MaxSteps} steps");
    }

    /// <summary>Takes steps from the thread's budget; free outside of a rendering.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Spend(long steps) => t_current?.Take(steps);

    /// <summary>Pays for looking through so many characters, many at a time.</summary>
    public static void Scan(long characters) => t_current?.Take(characters / ScannedPerStep);

    /// <summary>Pays for handling so many characters one by one.</summary>
    public static void Walk(long characters) => t_current?.Take(characters / 4);

    /// <summary>Pays for a text that is about to be made, and refuses one that is too long.</summary>
    public static void Make(long characters)
    {
        if (t_current is not { } current)
            return;
        current.CheckLength(characters);
        current.Take(characters / 8);
    }

    /// <summary>Refuses a text of so many UTF-16 units in this thread's rendering.</summary>
    public static void Fit(long characters) => t_current?.CheckLength(characters);

    /// <summary>Refuses a text of so many UTF-16 units.</summary>
    public void CheckLength(long length)
    {
        if (length > limits.MaxTextLength || length < 0)
            throw PythonError.Limit($"a text of more than {limits.MaxTextLength} characters");
    }
}
