namespace Handbook.Templates.Values;

/// <summary>The parameters of a built-in function and how a call's values reach them.</summary>
/// <param name="function">The name Python's messages use.</param>
/// <param name="required">How many of <paramref name="parameters"/>, from the front, must be given.</param>
/// <param name="parameters">All parameters in order.</param>
internal sealed class Signature(string function, int required, params string[] parameters)
{
    /// <summary>Stands where the caller gave nothing.</summary>
    public static readonly object Missing = new();

    /// <summary>One value a parameter; <see cref="Missing"/> where there is none.</summary>
    public object?[] Bind(Arguments arguments)
    {
        if (arguments.Positional.Length > parameters.Length)
        {
            var takes = required == parameters.Length ? $"{required}" : $"from {required} to {parameters.Length}";
            throw PythonError.Type($"{function}() takes {takes} positional argument{(parameters.Length == 1 ? "" : "s")} but "
                + $"{arguments.Positional.Length} were given");
        }
        Budget.Spend(2);
        var values = new object?[parameters.Length];
        Array.Fill(values, Missing);
        arguments.Positional.CopyTo(values, 0);
        foreach (var (name, value) in arguments.Named)
        {
            var at = Array.IndexOf(parameters, name);
            if (at < 0)
                throw PythonError.Type($"{function}() got an unexpected keyword argument '{name}'");
            if (values[at] != Missing)
                throw PythonError.Type($"{function}() got multiple values for argument '{name}'");
            values[at] = value;
        }
        for (var i = 0; i < required; i++)
        {
            if (values[i] == Missing)
                throw PythonError.Type($"{function}() missing 1 required positional argument: '{parameters[i]}'");
        }
        return values;
    }
}
