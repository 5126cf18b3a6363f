using Handbook.TestSupport;
using Handbook.Training.Checkpoints;

namespace Handbook.Training.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CheckpointStore store;

    public CheckpointStoreTests() => store = new CheckpointStore(folder.Path);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Save_ThenFindNewest_GivesTheFilesBack()
    {
        Save(1);
        Save(12);
        Save(3);
        var found = store.FindNewest();
        Assert.Equal(12, found.Newest!.Step);
        Assert.Equal("weights of 12", File.ReadAllText(Path.Combine(found.Newest.Folder, "model.safetensors")));
        Assert.Equal("state of 12", File.ReadAllText(Path.Combine(found.Newest.Folder, "rank0", "optimizer.bin")));
        Assert.Empty(found.Skipped);
    }

    [Fact]
    public void FindNewest_EmptyOrMissingFolder_FindsNothing()
    {
        Assert.Null(store.FindNewest().Newest);
        Assert.Null(new CheckpointStore(folder.File("absent")).FindNewest().Newest);
    }

    [Theory]
    [InlineData("flip", "model.safetensors is damaged: its SHA-256 differs from the manifest's")]
    [InlineData("truncate", "model.safetensors has 3 bytes, the manifest says 12")]
    [InlineData("remove", "model.safetensors is missing")]
    [InlineData("manifest-remove", "checkpoint_manifest.json is missing")]
    [InlineData("manifest-truncate", "checkpoint_manifest.json cannot be read")]
    [InlineData("manifest-rename", "checkpoint_manifest.json is of step 2, the folder's name says 9")]
    public void FindNewest_DamagedNewest_NamesTheFaultAndUsesTheOneBefore(string damage, string reason)
    {
        Save(1);
        var newest = Save(2).Folder;
        var model = Path.Combine(newest, "model.safetensors");
        var manifest = Path.Combine(newest, CheckpointManifest.FileName);
        switch (damage)
        {
            case "flip":
                var bytes = File.ReadAllBytes(model);
                bytes[5] ^= 1;
                File.WriteAllBytes(model, bytes);
                break;
            case "truncate": File.WriteAllText(model, "cut"); break;
            case "remove": File.Delete(model); break;
            case "manifest-remove": File.Delete(manifest); break;
            case "manifest-truncate": File.WriteAllText(manifest, "{\"step\": 2, \"fi"); break;
            default: Directory.Move(newest, store.FolderOf(9)); break;
        }
        var found = store.FindNewest();
        Assert.Equal(1, found.Newest!.Step);
        Assert.StartsWith(reason, Assert.Single(found.Skipped).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void FindNewest_ManifestLeadsOutside_IsSkipped()
    {
        var newest = Save(1).Folder;
        var manifest = Path.Combine(newest, CheckpointManifest.FileName);
        File.WriteAllText(folder.File("secret"), "x");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("model.safetensors", "../secret", StringComparison.Ordinal));
        Assert.Contains("outside the folder", Assert.Single(store.FindNewest().Skipped).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_DiskFull_LeavesTheOneBeforeAndNothingElse()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Save(1);
        var error = Assert.Throws<UserErrorException>(() => store.Save(2, target =>
        {
            File.WriteAllText(Path.Combine(target, "config.json"), "{}");
            using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
            full.Write(new byte[100]);
        }));
        Assert.Contains("checkpoint-2: the checkpoint could not be saved: No space left on device",
            error.Message, StringComparison.Ordinal);
        Assert.EndsWith("checkpoint-1 before it is untouched.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal([store.FolderOf(1)], Directory.GetDirectories(folder.Path));
        Assert.Equal(1, store.FindNewest().Newest!.Step);
    }

    [Fact]
    public void Save_WriterFails_PassesTheErrorOnAndLeavesNothing()
    {
        Assert.Throws<InvalidOperationException>(() => store.Save(1, _ => throw new InvalidOperationException("no weights")));
        Assert.Empty(Directory.GetDirectories(folder.Path));
    }

    [Fact]
    public void Save_OverADamagedOne_ReplacesIt()
    {
        File.Delete(Path.Combine(Save(1).Folder, "model.safetensors"));
        Save(1);
        Assert.Equal(1, store.FindNewest().Newest!.Step);
        Assert.Single(Directory.GetDirectories(folder.Path));
    }

    [Theory]
    [InlineData(2, null, new[] { 30, 40 })]
    [InlineData(2, 10, new[] { 10, 40 })]
    [InlineData(1, 20, new[] { 20, 40 })]
    [InlineData(1, 40, new[] { 40 })]
    [InlineData(null, null, new[] { 10, 20, 30, 40 })]
    [InlineData(9, 10, new[] { 10, 20, 30, 40 })]
    public void Rotate_Limit_KeepsTheNewestAndTheBest(int? limit, int? best, int[] left)
    {
        foreach (var step in new[] { 10, 20, 30, 40 })
            Save(step);
        store.Rotate(limit, best);
        Assert.Equal(left, store.Steps());
        Assert.Equal(left.Length, Directory.GetDirectories(folder.Path).Length);
    }

    [Fact]
    public void AFolderThatWeDidNotWrite_Stays()
    {
        foreach (var name in new[] { "checkpoint-1", "checkpoint-2", "checkpoint-old.partial", "checkpoint-notes.deleted" })
        {
            Directory.CreateDirectory(folder.File(name));
            File.WriteAllText(Path.Combine(folder.File(name), "mine"), "precious");
        }
        foreach (var step in new[] { 2, 3, 4 })
        {
            Save(step);
            store.Rotate(1, null);
        }
        store.ClearLeftovers();
        Assert.Equal(
            ["checkpoint-1", "checkpoint-2.kept", "checkpoint-4", "checkpoint-notes.deleted", "checkpoint-old.partial"],
            Directory.GetDirectories(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("precious", File.ReadAllText(Path.Combine(folder.File("checkpoint-2.kept"), "mine")));
    }

    [Fact]
    public void ClearLeftovers_SealedButNotRenamed_BecomesACheckpoint()
    {
        Save(1);
        Directory.Move(Save(2).Folder, store.FolderOf(2) + AtomicFile.AsideSuffix);
        Directory.CreateDirectory(store.FolderOf(3) + AtomicFile.AsideSuffix);
        Directory.CreateDirectory(store.FolderOf(4) + ".deleted");
        Assert.Equal(2, store.FindNewest().Newest!.Step);
        Assert.Equal(2, Directory.GetDirectories(folder.Path).Length);
    }

    [Fact]
    public void Open_NotWhole_SaysWhy()
    {
        var saved = Save(1).Folder;
        Assert.Equal(1, CheckpointStore.Open(saved + "/").Step);
        File.Delete(Path.Combine(saved, "model.safetensors"));
        var error = Assert.Throws<UserErrorException>(() => CheckpointStore.Open(saved));
        Assert.EndsWith("is not whole: model.safetensors is missing.", error.Message, StringComparison.Ordinal);
        Assert.Throws<UserErrorException>(() => CheckpointStore.Open(folder.File("checkpoint-7")));
        Assert.Throws<UserErrorException>(() => CheckpointStore.Open(folder.Path));
    }

    [Fact]
    public void Save_KilledAtAnyMoment_NeverLosesASavedCheckpoint()
    {
        var random = new Random(20240607);
        var newest = 0;
        for (var round = 0; round < 8; round++)
        {
            var saved = SavingProcess.StartAndKill(folder.Path, lines: random.Next(1, 30));
            newest = Math.Max(newest, saved);
            var found = store.FindNewest();
            Assert.Empty(found.Skipped);
            Assert.True((found.Newest?.Step ?? 0) >= newest, $"round {round}: saved {newest}, found {found.Newest?.Step}");
            if (found.Newest is null)
                continue;
            newest = found.Newest.Step;
            for (var file = 0; file < SavingProcess.FilesOfACheckpoint; file++)
                Assert.Equal(SavingProcess.Content(newest, file), File.ReadAllBytes(Path.Combine(found.Newest.Folder, $"file{file}.bin")));
        }
        Assert.True(newest > 0);
    }

    private Checkpoint Save(int step) => store.Save(step, target =>
    {
        File.WriteAllText(Path.Combine(target, "model.safetensors"), $"weights of {step}");
        Directory.CreateDirectory(Path.Combine(target, "rank0"));
        File.WriteAllText(Path.Combine(target, "rank0", "optimizer.bin"), $"state of {step}");
    });
}
