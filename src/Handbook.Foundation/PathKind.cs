namespace Handbook;

/// <summary>What stands at a path.</summary>
public enum PathKind
{
    /// <summary>Nothing, or what may not be looked at.</summary>
    None,

    /// <summary>A file with bytes of its own.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A link, where links are not followed or this one leads nowhere.</summary>
    Link,

    /// <summary>A named pipe: whoever opens it waits for somebody at its other end.</summary>
    Pipe,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A device of characters or blocks: opening it may already do something.</summary>
    Device,
}

/// <summary>How a person calls what stands at a path.</summary>
public static class PathKindNames
{
    /// <summary>The name, with its article.</summary>
    public static string Name(this PathKind kind) => kind switch
    {
        PathKind.File => "a file",
        PathKind.Folder => "a folder",
        PathKind.Link => "a link that leads nowhere",
        PathKind.Pipe => "a named pipe",
        PathKind.Socket => "a socket",
        PathKind.Device => "a device",
        _ => "nothing",
    };
}
