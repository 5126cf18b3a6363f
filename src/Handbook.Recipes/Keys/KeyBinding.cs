namespace Handbook.Recipes.Keys;

/// <summary>How a key's value becomes part of what a command is told.</summary>
internal abstract record KeyBinding;

/// <summary>A binding into the options of one kind of command.</summary>
/// <param name="Apply">The options with the value that holds.</param>
internal sealed record KeyBinding<TOptions>(Func<TOptions, RecipeValues, TOptions> Apply) : KeyBinding;

/// <summary>A record inside the options, which several keys fill.</summary>
/// <param name="Get">It; null when other keys have left it out, and these then mean nothing.</param>
/// <param name="With">The options with another one in its place.</param>
internal sealed record OptionPart<TOptions, TPart>(Func<TOptions, TPart?> Get, Func<TOptions, TPart, TOptions> With)
    where TPart : class;

/// <summary>A row whose value has a type.</summary>
internal sealed record RecipeKey<TValue> : RecipeKey
{
    /// <summary>Reads the value.</summary>
    public required Func<object?, TValue> Of { get; init; }

    /// <summary>The row with a property that its value sets.</summary>
    /// <param name="part">The record that has the property.</param>
    /// <param name="set">That record with the value.</param>
    public RecipeKey<TValue> To<TOptions, TPart>(OptionPart<TOptions, TPart> part, Func<TPart, TValue, TPart> set) where TPart : class =>
        To(part, (record, value, _) => set(record, value));

    /// <summary>The row with a property that its value sets, and other keys' values beside it.</summary>
    /// <param name="part">The record that has the property.</param>
    /// <param name="set">That record with the value.</param>
    public RecipeKey<TValue> To<TOptions, TPart>(
        OptionPart<TOptions, TPart> part, Func<TPart, TValue, RecipeValues, TPart> set) where TPart : class => this with
        {
            Bindings =
            [
                .. Bindings,
                new KeyBinding<TOptions>((options, values) =>
                    part.Get(options) is { } record ? part.With(options, set(record, Of(values.Value(Name)), values)) : options),
            ],
        };
}
