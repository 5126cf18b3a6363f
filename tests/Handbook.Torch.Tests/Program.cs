using Handbook.Torch.Tests;

// Tests that watch a whole process start this assembly as that process.
return args is [var what] ? ChildProcess.Run(what) : 64;
