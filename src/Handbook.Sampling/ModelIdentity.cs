using Handbook.Data.Preparation;
using Handbook.Models;

namespace Handbook.Sampling;

/// <summary>Says in one word what a model folder would write: two folders of the same weights and tokenizer have the same.</summary>
internal static class ModelIdentity
{
    /// <summary>A hash over the configuration and the weights of a folder, and over the tokenizer's files.</summary>
    /// <exception cref="UserErrorException">The folder is not there.</exception>
    public static string Of(string modelFolder, string tokenizerFolder)
    {
        if (!Directory.Exists(modelFolder))
            throw new UserErrorException($"{modelFolder}: no such folder; a model folder is expected.");
        return FolderIdentity.Of(modelFolder) + " " + TokenizerFingerprint.Of(tokenizerFolder);
    }
}
