using System.Reflection;
using System.Reflection.Emit;

namespace Handbook.Conventions.Tests;

/// <summary>Which properties the built program reads: the calls of their getters, found in the assemblies' code.</summary>
internal static class PropertyReads
{
    // What the compiler writes into every record reads all of it and means nothing.
    private static readonly HashSet<string> Synthesized =
    [
        "PrintMembers", "Equals", "GetHashCode", "ToString", "Deconstruct", "<Clone>$", ".ctor",
    ];

    private static readonly Dictionary<ushort, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (ushort)code.Value);

    /// <summary>Getters that are called from a method of the given assemblies, as <c>Type.Property</c>.</summary>
    public static HashSet<string> In(IEnumerable<Assembly> assemblies)
    {
        const BindingFlags all =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var read = new HashSet<string>();
        foreach (var method in assemblies.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all))))
        {
            var isRecord = method.DeclaringType!.GetMethod("<Clone>$") is not null;
            if (isRecord && Synthesized.Contains(method.Name) && method.Name != ".ctor")
                continue;
            foreach (var called in Calls(method)
                .Where(called => called.Name.StartsWith("get_", StringComparison.Ordinal) && called != method))
                read.Add(Name(called.DeclaringType!, called.Name[4..]));
        }
        return read;
    }

    /// <summary>A property's name with its type's.</summary>
    public static string Name(Type type, string property) =>
        $"{(type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName}.{property}";

    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
            yield break;
        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? (ushort)(0xFE00 | code[at + 1]) : code[at];
            at += value > 0xFF ? 2 : 1;
            var operation = Codes[value];
            if (operation.OperandType is OperandType.InlineMethod
                && method.Module.ResolveMethod(BitConverter.ToInt32(code, at), typeArguments,
                    methodArguments) is { DeclaringType: not null } called)
            {
                yield return called;
            }
            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }
}
