using Mono.Cecil;

namespace Handbook.Conventions.Tests;

/// <summary>Where a type of ours stands.</summary>
/// <param name="Layer">Its project, without the product's name.</param>
/// <param name="Folder">The folder inside the project, in dots; empty for none.</param>
/// <param name="Name">Its name, or that of the type around it.</param>
internal readonly record struct TypePlace(string Layer, string Folder, string Name)
{
    public override string ToString() => $"{Layer}/{(Folder.Length > 0 ? Folder + "/" : "")}{Name}";
}

/// <summary>Which types of ours the built code of a project names: bases, members, signatures and whatever its methods touch.</summary>
internal static class TypeReferences
{
    /// <summary>Every pair once, compiler-made types counted to the type they were made for.</summary>
    public static IReadOnlySet<(TypePlace From, TypePlace To)> Of(string layer)
    {
        var file = layer == "Cli" ? "handbook.dll" : $"Handbook.{layer}.dll";
        using var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, file));
        var found = new HashSet<(TypePlace, TypePlace)>();
        foreach (var type in module.GetTypes())
        {
            if (Place(type) is { } from)
                found.UnionWith(Named(type).SelectMany(Flattened).Select(Place).OfType<TypePlace>().Where(to => to != from)
                    .Select(to => (from, to)));
        }
        return found;
    }

    private static IEnumerable<TypeReference?> Named(TypeDefinition type) =>
    [
        type.BaseType, .. type.Interfaces.Select(one => one.InterfaceType), .. type.Fields.Select(field => field.FieldType),
        .. type.GenericParameters.SelectMany(Constraints), .. type.CustomAttributes.Select(one => one.AttributeType),
        .. type.Methods.SelectMany(Named),
    ];

    private static IEnumerable<TypeReference?> Named(MethodDefinition method)
    {
        IEnumerable<TypeReference?> signature = [.. Signature(method), .. method.GenericParameters.SelectMany(Constraints)];
        if (!method.HasBody)
            return signature;
        var body = method.Body;
        return
        [
            .. signature, .. body.Variables.Select(variable => variable.VariableType),
            .. body.ExceptionHandlers.Select(handler => handler.CatchType),
            .. body.Instructions.SelectMany(instruction => instruction.Operand switch
            {
                MethodReference called => Signature(called),
                FieldReference field => [field.DeclaringType, field.FieldType],
                TypeReference named => [named],
                _ => (IEnumerable<TypeReference?>)[],
            }),
        ];
    }

    private static IEnumerable<TypeReference?> Signature(MethodReference method) =>
    [
        method.DeclaringType, method.ReturnType, .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. method is GenericInstanceMethod generic ? generic.GenericArguments : [],
    ];

    private static IEnumerable<TypeReference> Constraints(GenericParameter parameter) =>
        parameter.Constraints.Select(one => one.ConstraintType);

    /// <summary>Types inside arrays, pointers and generic arguments.</summary>
    private static IEnumerable<TypeReference> Flattened(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => [.. Flattened(generic.ElementType), .. generic.GenericArguments.SelectMany(Flattened)],
        TypeSpecification wrapped => Flattened(wrapped.ElementType),
        _ => [type],
    };

    private static TypePlace? Place(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        var assembly = type.Scope is AssemblyNameReference other ? other.Name : type.Module.Assembly.Name.Name;
        if (assembly == "handbook")
            assembly = "Handbook.Cli";
        if (!assembly.StartsWith("Handbook.", StringComparison.Ordinal) || !type.Namespace.StartsWith("Handbook", StringComparison.Ordinal))
            return null;
        var root = assembly == "Handbook.Foundation" ? "Handbook" : assembly;
        return new TypePlace(assembly["Handbook.".Length..], type.Namespace[Math.Min(type.Namespace.Length, root.Length + 1)..], type.Name);
    }
}
