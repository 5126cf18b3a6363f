using Handbook.Training.Tests.Checkpoints;

// Tests that kill a process start this assembly as that process.
return args is ["save-checkpoints", var folder] ? SavingProcess.Run(folder) : 64;
