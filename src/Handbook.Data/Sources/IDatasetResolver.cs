namespace Handbook.Data.Sources;

/// <summary>Finds the files of a dataset that a recipe names. The hub's client is one more of these.</summary>
public interface IDatasetResolver
{
    /// <summary>The local file or folder of a dataset, or null when this resolver does not have it.</summary>
    /// <param name="name">What the recipe says: a path or an id such as <c>org/name</c>.</param>
    /// <param name="revision">Branch, tag or commit; null takes the main branch.</param>
    string? Find(string name, string? revision);

    /// <summary>Where it looked, for the message when nothing was found.</summary>
    string Where { get; }

    /// <summary>The name it could have found that is nearest to one it did not find, or null.</summary>
    string? Nearest(string name);
}
