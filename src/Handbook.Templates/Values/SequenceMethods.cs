namespace Handbook.Templates.Values;

/// <summary>Methods of lists and tuples; those that would change a list are refused.</summary>
internal static class SequenceMethods
{
    public static bool TryGetList(ListValue self, string name, out object? value)
    {
        if (name is "append" or "clear" or "pop" or "reverse" or "insert" or "sort" or "extend" or "remove")
            value = Undefined.Unsafe(self, name);
        else if (name == "copy")
            value = new BuiltinFunction(name, (_, _) => self);
        else
            return TryGetTuple(self, name, out value);
        return true;
    }

    public static bool TryGetTuple(SequenceValue self, string name, out object? value)
    {
        value = name switch
        {
            "index" => new BuiltinFunction(name, (_, arguments) => IndexOf(self, arguments)),
            "count" => new BuiltinFunction(name, (_, arguments) => Numbers.Box(Count(self, arguments))),
            _ => null,
        };
        return value is not null;
    }

    private static long Count(SequenceValue self, Arguments arguments)
    {
        var sought = new Signature(self.TypeName + ".count", 1, "value").Bind(arguments)[0];
        return self.Items.LongCount(item => Operations.AreEqual(item, sought));
    }

    private static object IndexOf(SequenceValue self, Arguments arguments)
    {
        var values = new Signature(self.TypeName + ".index", 1, "value", "start", "stop").Bind(arguments);
        var bounds = SliceBounds.Of(self.Items.Length, Bound(values[1]), Bound(values[2]), null);
        for (var i = bounds.Start; i < bounds.Start + bounds.Count; i++)
        {
            if (Operations.AreEqual(self.Items[i], values[0]))
                return Numbers.Box((long)i);
        }
        throw PythonError.Value(self is ListValue ? $"{PythonText.ReprOf(values[0])} is not in list" : "tuple.index(x): x not in tuple");
    }

    private static long? Bound(object? value) => value == Signature.Missing ? null : Numbers.ToIndex(value);
}

/// <summary>Methods of dicts; those that would change one are refused.</summary>
internal static class DictMethods
{
    private static readonly Signature GetSignature = new("get", 1, "key", "default");

    public static bool TryGet(DictValue self, string name, out object? value)
    {
        value = name switch
        {
            "items" => new BuiltinFunction(name,
                (_, arguments) => View(arguments, "dict_items", entry => new TupleValue(entry.Key, entry.Value))),
            "keys" => new BuiltinFunction(name, (_, arguments) => View(arguments, "dict_keys", entry => entry.Key)),
            "values" => new BuiltinFunction(name, (_, arguments) => View(arguments, "dict_values", entry => entry.Value)),
            "get" => new BuiltinFunction(name, (_, arguments) => Get(self, arguments)),
            "copy" => new BuiltinFunction(name, (_, _) => self),
            "fromkeys" => new BuiltinFunction(name, FromKeys),
            "clear" or "pop" or "popitem" or "setdefault" or "update" => Undefined.Unsafe(self, name),
            _ => null,
        };
        return value is not null;

        object? View(Arguments arguments, string kind, Func<KeyValuePair<object?, object?>, object?> select)
        {
            new Signature(name, 0).Bind(arguments);
            return new DictView(self, kind, select);
        }
    }

    private static object? Get(DictValue self, Arguments arguments)
    {
        arguments.RejectNamed("dict.get");
        var values = GetSignature.Bind(arguments);
        Operations.RequireHashable(values[0]);
        if (self.TryGetValue(values[0], out var found))
            return found;
        return values[1] == Signature.Missing ? null : values[1];
    }

    /// <summary><c>dict.fromkeys</c>.</summary>
    public static DictValue FromKeys(RenderContext context, Arguments arguments)
    {
        var values = new Signature("fromkeys", 1, "iterable", "value").Bind(arguments);
        var result = new DictValue();
        foreach (var key in Operations.Each(context, values[0]))
            result.Set(key, values[1] == Signature.Missing ? null : values[1]);
        return result;
    }
}
