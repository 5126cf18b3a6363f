namespace Handbook.Training.Options;

/// <summary>Profiles as recipes and reports name them.</summary>
public static class ProfileNames
{
    /// <summary>The value of the recipe's key <c>profile</c>.</summary>
    public static string RecipeName(this Profile profile) => profile switch
    {
        Profile.V03 => "v0.3",
        Profile.Trl019 => "trl-0.19",
        _ => "best",
    };
}
