namespace Handbook.Models.Adapters;

/// <summary>The adapters that lie between a folder and its base model, and the proof that they belong together.</summary>
public static class AdapterChain
{
    private const int MostAdapters = 64;

    /// <summary>The base of a folder, and the adapters around it from the innermost out; none for a model's own folder.</summary>
    /// <exception cref="UserErrorException">A parent is missing or broken, or the chain leads back to itself.</exception>
    public static (string Base, IReadOnlyList<AdapterFolder> Adapters) Of(string path)
    {
        var adapters = new List<AdapterFolder>();
        for (var current = path; ; current = adapters[0].FindBase())
        {
            if (!AdapterFolder.Is(current))
                return (current, adapters);
            if (adapters.Count == MostAdapters)
                throw new UserErrorException($"{path}: base_model_name_or_path leads from adapter to adapter {MostAdapters} times; it "
                    + "must end at a model, so one of them names itself.");
            adapters.Insert(0, new AdapterFolder(current));
        }
    }

    /// <summary>Puts a folder's adapters around its model, as they are.</summary>
    /// <exception cref="UserErrorException">An adapter was trained on other weights, or does not fit.</exception>
    internal static IReadOnlyList<Adapter> Attach(IPretrainedModel model, ModelFolder folder)
    {
        if (folder.Adapters.Count == 0)
            return [];
        Verify(folder);
        var attached = new List<Adapter>();
        try
        {
            foreach (var adapter in folder.Adapters)
                attached.Add(Adapter.Load(model, adapter));
            return attached;
        }
        catch
        {
            attached.ForEach(adapter => adapter.Dispose());
            throw;
        }
    }

    /// <summary>What a new adapter on a folder's model writes down about it.</summary>
    /// <param name="path">The folder.</param>
    public static Lineage LineageOf(string path)
    {
        var (model, adapters) = Of(path);
        return new Lineage([
            new Parent(Path.GetFullPath(model), FolderIdentity.Of(model)),
            .. adapters.Select(adapter => new Parent(Path.GetFullPath(adapter.Path), FolderIdentity.OfAdapter(adapter))),
        ]);
    }

    /// <summary>Whether an adapter was trained on a model; one that does not say is believed.</summary>
    /// <exception cref="UserErrorException">It was trained on another.</exception>
    public static void CheckParents(AdapterFolder adapter, Lineage found)
    {
        if (adapter.Lineage is not { } lineage)
            return;
        var where = Path.Combine(adapter.Path, Lineage.FileName);
        if (lineage.Parents.Count != found.Parents.Count)
            throw new UserErrorException($"{where}: was trained on a base with {Quantity.Of(lineage.Parents.Count - 1, "adapter")} "
                + $"around it, {found.Parents[^1].Path} is one with {found.Parents.Count - 1}.");
        for (var i = 0; i < found.Parents.Count; i++)
            Check(where, i == 0 ? "the base" : "its parent", lineage.Parents[i], found.Parents[i]);
    }

    private static void Verify(ModelFolder folder)
    {
        if (folder.Adapters.All(adapter => adapter.Lineage is null))
            return;
        var found = new List<Parent> { new(folder.Path, FolderIdentity.Of(folder.Path)) };
        foreach (var adapter in folder.Adapters)
        {
            CheckParents(adapter, new Lineage([.. found]));
            found.Add(new Parent(adapter.Path, FolderIdentity.OfAdapter(adapter)));
        }
    }

    private static void Check(string where, string what, Parent parent, Parent found)
    {
        if (parent.Sha256 != found.Sha256)
            throw new UserErrorException($"{where}: {what} {found.Path} holds other weights (SHA-256 {Short(found.Sha256)}) than "
                + $"{parent.Path} did in training ({Short(parent.Sha256)}); an adapter works on the weights that it was trained on only.");
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] + "..." : hash;
}
